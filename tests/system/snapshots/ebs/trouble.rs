//! A cloud that puts off, loses answers, never gets done, or is not who it says it is.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::cloud::{HERE, Moto, Relay, Relayed, ZONE, configure, refusal};
use super::{KEY, list, refused, take};
use crate::snapshots::{id, results, run};
use crate::support::{Bench, both, signal, wait_until};

/// `coffer snapshot …`, running.
fn spawn(bench: &Bench, words: &[&str]) -> Child {
    let words: Vec<&OsStr> = [&["snapshot"], words].concat().into_iter().map(OsStr::new).collect();
    let mut command = bench.coffer_command(&words);
    command.stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap()
}

/// Waits until it has come so far.
fn wait_for(child: &mut Child, is_so: impl Fn() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < Duration::from_secs(60) && child.try_wait().unwrap().is_none());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Tells it to stop: it does so long before it would end by itself.
fn stop(mut child: Child) {
    signal(&child, rustix::process::Signal::INT);
    wait_until("it stops", || child.try_wait().unwrap().is_some());
    assert!(!child.wait().unwrap().success());
}

#[test]
#[ignore = "needs moto (tests/run)"]
fn a_cloud_that_puts_off_or_loses_answers_is_asked_again_but_makes_no_second_one() {
    let (bench, moto) = (Bench::new(), Moto::new());
    let volume = moto.volume();
    let target = format!("ebs:here/{volume}");

    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let relay = Relay::new(moto.port, move |action, _| {
        // The first three of each.
        let first = action == "CreateSnapshot" && count.fetch_add(1, Ordering::SeqCst) < 3;
        match first {
            true => Relayed::Answer(503, refusal("RequestLimitExceeded")),
            false => Relayed::Pass,
        }
    });
    configure(&bench, relay.port, KEY, "");
    take(&bench, &target, &[]);
    assert_eq!(asked.load(Ordering::SeqCst), 4);
    assert_eq!(moto.snapshots_in(HERE, &volume).len(), 1);
    drop(relay);

    // The answer to the first one is lost.
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let relay = Relay::new(moto.port, move |action, _| {
        match action == "CreateSnapshot" && count.fetch_add(1, Ordering::SeqCst) == 0 {
            true => Relayed::Lose,
            false => Relayed::Pass,
        }
    });
    configure(&bench, relay.port, KEY, "");
    take(&bench, &target, &[]);
    assert_eq!(asked.load(Ordering::SeqCst), 1, "the one that was made was found");
    assert_eq!(moto.snapshots_in(HERE, &volume).len(), 2);
    drop(relay);

    // One that puts off for ever; it stops when told.
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let relay = Relay::new(moto.port, move |action, _| match action {
        "CreateSnapshot" => {
            count.fetch_add(1, Ordering::SeqCst);
            Relayed::Answer(503, refusal("RequestLimitExceeded"))
        }
        _ => Relayed::Pass,
    });
    configure(&bench, relay.port, KEY, "");
    let mut child = spawn(&bench, &["take", &target]);
    wait_for(&mut child, || asked.load(Ordering::SeqCst) > 0);
    let before = asked.load(Ordering::SeqCst);
    stop(child);
    // One may have been on its way.
    let after = asked.load(Ordering::SeqCst);
    assert!(after <= before + 1, "asked {before} times before, {after} in all");
    assert_eq!(moto.snapshots_in(HERE, &volume).len(), 2);
    drop(relay);

    configure(&bench, 1, KEY, "");
    let said = refused(&bench, &["take", &target]);
    assert!(
        said.contains("here (eu-west-1) cannot be reached: the connection is refused"),
        "{said}"
    );
    let relay = Relay::new(moto.port, |_, _| Relayed::Answer(200, "<html>Sign in</html>".into()));
    configure(&bench, relay.port, KEY, "");
    let said = refused(&bench, &["take", &target]);
    assert!(said.contains("cannot be understood"), "{said}");
}

#[test]
#[ignore = "needs moto (tests/run)"]
fn a_snapshot_that_never_completes_is_given_up_and_deleted() {
    let (bench, moto) = (Bench::new(), Moto::new());
    let volume = moto.volume();
    let target = format!("ebs:here/{volume}");
    let pending = |body: String| {
        body.replace("<status>completed</status>", "<status>pending</status>")
            .replace("<progress>100%</progress>", "<progress>40%</progress>")
    };
    let relay = Relay::new(moto.port, move |action, _| match action {
        "DescribeSnapshots" => Relayed::Change(pending),
        _ => Relayed::Pass,
    });
    configure(&bench, relay.port, KEY, "wait-seconds = 1");
    let said = refused(&bench, &["take", &target]);
    assert!(
        said.contains("took longer than 1 seconds") && said.contains("was deleted again"),
        "{said}"
    );
    assert!(said.contains("wait-seconds"), "{said}");
    assert!(moto.snapshots_in(HERE, &volume).is_empty());

    // Told to stop meanwhile.
    configure(&bench, relay.port, KEY, "wait-seconds = 600");
    let mut child = spawn(&bench, &["take", &target]);
    wait_for(&mut child, || !moto.snapshots_in(HERE, &volume).is_empty());
    let listed = list(&bench, &target);
    assert!(
        listed[0]["notes"][0]
            .as_str()
            .unwrap()
            .contains("still writing it (40 %)"),
        "{listed:?}"
    );
    let said = refused(
        &bench,
        &["clone", id(&listed[0]), "--of", &target, &format!("zone:{ZONE}")],
    );
    assert!(said.contains("wait until it is whole"), "{said}");
    stop(child);
    assert!(moto.snapshots_in(HERE, &volume).is_empty(), "nothing is left");

    // Of several none stays, also where they are protected.
    configure(&bench, relay.port, KEY, "wait-seconds = 1");
    let second = moto.volume();
    let said = refused(&bench, &["group", &target, &format!("ebs:here/{second}"), "--protect"]);
    assert!(said.contains("was deleted again"), "{said}");
    for volume in [&volume, &second] {
        assert!(moto.snapshots_in(HERE, volume).is_empty(), "{said}");
    }
}

#[test]
#[ignore = "needs moto, openssl (tests/run)"]
fn a_cloud_is_only_believed_with_a_certificate_that_the_system_trusts() {
    let bench = Bench::new();
    let file = |name: &str| bench.path(name).to_str().unwrap().to_owned();
    let openssl = |words: &str| {
        let words: Vec<&OsStr> = words.split(' ').map(OsStr::new).collect();
        run("openssl", &words);
    };
    let (ca, ca_key, leaf, leaf_key) = (file("ca"), file("ca-key"), file("leaf"), file("leaf-key"));
    let new_key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    openssl(&format!(
        "req -x509 {new_key} -days 2 -subj /CN=tests -keyout {ca_key} -out {ca}"
    ));
    let names = "-addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE";
    openssl(&format!(
        "req -x509 {new_key} -days 2 -subj /CN=moto {names} -CA {ca} -CAkey {ca_key} -keyout {leaf_key} -out {leaf}"
    ));
    let moto = Moto::with_tls(Path::new(&leaf), Path::new(&leaf_key));
    configure(&bench, moto.port, KEY, "");
    let config = std::fs::read_to_string(bench.path("config.toml")).unwrap();
    std::fs::write(bench.path("config.toml"), config.replace("http://", "https://")).unwrap();
    let list = |trusted: Option<&str>| {
        let words = ["snapshot", "list", "--json", "ebs:here/vol-00000000"].map(OsStr::new);
        let mut command = bench.coffer_command(&words);
        command.envs(trusted.map(|file| ("SSL_CERT_FILE", file)));
        command.output().unwrap()
    };
    let said = both(&list(None));
    assert!(
        said.contains("cannot be reached") && said.contains("certificate"),
        "{said}"
    );
    let listed = list(Some(&ca));
    assert!(
        listed.status.success() && results(&listed).is_empty(),
        "{}",
        both(&listed)
    );
}
