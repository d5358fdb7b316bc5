//! Volumes of a cloud, by moto: take, list, copy, make volumes, go back, expire, and what a cloud does to those who ask.

mod cloud;
mod trouble;

use std::ffi::OsStr;

use serde_json::Value;

use self::cloud::{HERE, Moto, THERE, ZONE, between, configure};
use super::{id, results, snapshot, snapshot_any};
use crate::support::{Bench, both, wait_until};

const KEY: (&str, &str) = ("AKIATEST", "a secret");

fn take(bench: &Bench, target: &str, more: &[&str]) -> Value {
    let words = [&["take", "--json", target], more].concat();
    results(&snapshot(bench, &words)).remove(0)
}

fn list(bench: &Bench, target: &str) -> Vec<Value> {
    results(&snapshot(bench, &["list", "--json", target]))
}

fn refused(bench: &Bench, words: &[&str]) -> String {
    let output = snapshot_any(bench, words);
    assert!(!output.status.success(), "{words:?}: {}", both(&output));
    both(&output)
}

#[test]
#[ignore = "needs moto (tests/run)"]
fn a_volume_is_snapshotted_copied_made_anew_and_expired() {
    let (bench, moto) = (Bench::new(), Moto::new());
    configure(&bench, moto.port, KEY, "");
    let volume = moto.volume();
    let target = format!("ebs:here/{volume}");

    let targets = results(&snapshot(&bench, &["list", "--targets", "--json"]));
    let found = targets
        .iter()
        .find(|one| one["target"] == target.as_str())
        .expect("the volume");
    assert_eq!(
        (found["kind"].as_str(), found["size"].as_u64()),
        (Some("ebs"), Some(8 << 30))
    );
    let said = refused(&bench, &["take", &format!("ebs:{volume}")]);
    assert!(
        said.contains(&format!("in which cloud? Write ebs:CLOUD/{volume}; known: here, there")),
        "{said}"
    );
    let said = refused(&bench, &["take", "ebs:here/vol-00000000"]);
    assert!(said.contains("there is no such volume in here (eu-west-1)"), "{said}");
    let said = refused(&bench, &["take", &target, "--consistency", "memory"]);
    assert!(said.contains("memory consistency"), "{said}");

    let one = take(&bench, &target, &["--label", "before & after", "--protect"]);
    assert_eq!(
        (one["consistency"].as_str(), one["made_by"].as_str()),
        (Some("crash"), Some("hand"))
    );
    assert_eq!(moto.snapshots_in(HERE, &volume), [one["handle"].as_str().unwrap()]);
    let theirs = moto.ask(&format!("Action=CreateSnapshot&VolumeId={volume}&Description=theirs"));
    let theirs = between(&theirs, "<snapshotId>", "</snapshotId>");
    let listed = list(&bench, &target);
    assert_eq!(listed.len(), 2, "{listed:?}");
    let own = listed.iter().find(|other| id(other) == id(&one)).unwrap();
    assert_eq!(
        (own["label"].as_str(), own["protected"].as_bool()),
        (Some("before & after"), Some(true))
    );
    assert_eq!(
        (own["size"]["logical"].as_u64(), own["size"]["exclusive"].as_u64()),
        (Some(8 << 30), None)
    );
    let other = listed.iter().find(|one| one["made_by"] == "other").unwrap();
    assert_eq!(other["handle"].as_str(), Some(theirs));
    let said = refused(&bench, &["delete", id(other), "--of", &target]);
    assert!(said.contains("another program made it"), "{said}");
    let said = refused(&bench, &["ls", id(&one)]);
    assert!(said.contains("zone:ZONE"), "{said}");

    // A volume of it, and a copy far away.
    let said = refused(&bench, &["clone", id(&one), "/srv/copy"]);
    assert!(said.contains("zone:eu-west-1a"), "{said}");
    let made = &results(&snapshot(
        &bench,
        &["clone", id(&one), &format!("zone:{ZONE}"), "--json"],
    ))[0];
    let made = made["made"].as_str().unwrap().split(' ').next().unwrap();
    let volumes = moto.ask(&format!("Action=DescribeVolumes&VolumeId.1={made}"));
    assert_eq!(
        between(&volumes, "<snapshotId>", "</snapshotId>"),
        one["handle"].as_str().unwrap()
    );
    assert_eq!(between(&volumes, "<volumeType>", "</volumeType>"), "gp3");
    snapshot(&bench, &["clone", id(&one), &format!("region:{THERE}")]);
    let there = format!("ebs:there/{volume}");
    let copies = list(&bench, &there);
    assert_eq!(copies.len(), 1, "{copies:?}");
    assert_eq!(copies[0]["label"], "before & after");
    assert_ne!(id(&copies[0]), id(&one));
    assert_eq!(
        moto.snapshots_in(THERE, &volume),
        [copies[0]["handle"].as_str().unwrap()]
    );
    // It counts, also where no cloud of that region is known.
    let config = std::fs::read_to_string(bench.path("config.toml")).unwrap();
    let (alone, _) = config.split_once("[clouds.there]").unwrap();
    std::fs::write(bench.path("config.toml"), alone).unwrap();
    let elsewhere = || {
        let rows = results(&bench.coffer(&["coverage", "--json"]));
        let is_it = |row: &&Value| row["what"].as_str().is_some_and(|what| what.contains(&volume));
        let row = rows.iter().find(is_it).unwrap_or_else(|| panic!("{rows:?}")).clone();
        row["elsewhere"].as_u64().unwrap()
    };
    assert_eq!(elsewhere(), 1);
    std::fs::write(bench.path("config.toml"), config).unwrap();
    snapshot(&bench, &["delete", id(&copies[0]), "--of", &there]);
    assert_eq!(elsewhere(), 0);
    assert!(moto.snapshots_in(THERE, &volume).is_empty());

    // Policies let go what they took, and nothing else.
    snapshot(&bench, &["policy", "add", "often", &target, "--keep-last", "2"]);
    let second = || std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    for _ in 0..4 {
        snapshot(&bench, &["policy", "run", "often"]);
        // The cloud dates to the second, and which of two in one is the newer nobody knows.
        let then = second();
        wait_until("the next second", || second() > then);
    }
    let listed = list(&bench, &target);
    let of_policy = listed.iter().filter(|one| one["made_by"] == "policy").count();
    assert_eq!((of_policy, listed.len()), (2, 4), "{listed:?}");

    let said = refused(&bench, &["delete", id(&one)]);
    assert!(said.contains("is protected"), "{said}");
    snapshot(&bench, &["protect", id(&one), "--off", "--label", "done"]);
    let own = list(&bench, &target)
        .into_iter()
        .find(|other| id(other) == id(&one))
        .unwrap();
    assert_eq!(
        (own["label"].as_str(), own["protected"].as_bool()),
        (Some("done"), Some(false))
    );
    snapshot(&bench, &["delete", id(&one)]);
    assert!(
        !moto
            .snapshots_in(HERE, &volume)
            .contains(&one["handle"].as_str().unwrap().to_owned())
    );
}

#[test]
#[ignore = "needs moto (tests/run)"]
fn going_back_exchanges_the_volume_of_a_stopped_instance() {
    let (bench, moto) = (Bench::new(), Moto::new());
    configure(&bench, moto.port, KEY, "");
    let volume = moto.volume();
    let target = format!("ebs:here/{volume}");
    let images = moto.ask("Action=DescribeImages");
    let image = between(&images, "<imageId>", "</imageId>");
    let ran = moto.ask(&format!("Action=RunInstances&ImageId={image}&MinCount=1&MaxCount=1"));
    let instance = between(&ran, "<instanceId>", "</instanceId>").to_owned();
    moto.ask(&format!(
        "Action=AttachVolume&VolumeId={volume}&InstanceId={instance}&Device=/dev/sdf"
    ));
    let one = take(&bench, &target, &[]);

    let said = refused(&bench, &["rollback", id(&one)]);
    assert!(
        said.contains(&format!("the instance {instance} is running: stop it first")),
        "{said}"
    );
    moto.ask(&format!("Action=StopInstances&InstanceId.1={instance}"));
    let plan = &results(&snapshot(&bench, &["rollback", id(&one), "--dry-run", "--json"]))[0];
    assert_eq!(plan["obstacles"], serde_json::json!([]));
    let done = &results(&snapshot(&bench, &["rollback", id(&one), "--json"]))[0];
    let said = done["verified"].as_str().unwrap();
    let new = said.split(' ').next().unwrap();
    let now = moto.ask(&format!("Action=DescribeVolumes&VolumeId.1={new}"));
    assert_eq!(between(&now, "<instanceId>", "</instanceId>"), instance);
    assert_eq!(between(&now, "<device>", "</device>"), "/dev/sdf");
    assert_eq!(
        between(&now, "<snapshotId>", "</snapshotId>"),
        one["handle"].as_str().unwrap()
    );
    let old = moto.ask(&format!("Action=DescribeVolumes&VolumeId.1={volume}"));
    assert!(old.contains("<status>available</status>"), "{old}");

    // Attached to nothing: the new one stands beside it.
    let done = &results(&snapshot(&bench, &["rollback", id(&one), "--json"]))[0];
    assert!(done["verified"].as_str().unwrap().contains(ZONE), "{done}");
}

#[test]
#[ignore = "needs moto (tests/run)"]
fn credentials_are_checked_and_what_is_wrong_with_them_is_said() {
    // Four actions to set up; from then on moto checks every signature.
    let (bench, moto) = (Bench::new(), Moto::checking_after(4));
    let volume = moto.volume();
    let target = format!("ebs:here/{volume}");
    moto.ask_in("us-east-1", "iam", "Action=CreateUser&UserName=coffer");
    let policy = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A\
        %5B%22ec2%3ADescribe%2A%22%2C%22ec2%3ACreateSnapshot%22%2C%22ec2%3ACreateTags%22%5D%2C%22Resource%22%3A%22%2A%22%7D%5D%7D";
    let words = format!("Action=PutUserPolicy&UserName=coffer&PolicyName=own&PolicyDocument={policy}");
    moto.ask_in("us-east-1", "iam", &words);
    let made = moto.ask_in("us-east-1", "iam", "Action=CreateAccessKey&UserName=coffer");
    let key = between(&made, "<AccessKeyId>", "</AccessKeyId>").to_owned();
    let secret = between(&made, "<SecretAccessKey>", "</SecretAccessKey>").to_owned();

    configure(&bench, moto.port, (&key, &secret), "");
    let one = take(&bench, &target, &[]);
    assert_eq!(list(&bench, &target).len(), 1);
    let said = refused(&bench, &["delete", id(&one), "--of", &target]);
    assert!(said.contains("allow ec2:DeleteSnapshot to it"), "{said}");

    for (key, secret) in [(key.as_str(), "another"), ("AKIANOBODY", secret.as_str())] {
        configure(&bench, moto.port, (key, secret), "");
        let said = refused(&bench, &["take", &target]);
        assert!(
            said.contains("does not accept these credentials") && said.contains(key),
            "{said}"
        );
        assert!(!said.contains(secret), "{said}");
    }
    std::fs::remove_file(bench.path("home/.aws/credentials")).unwrap();
    let said = refused(&bench, &["take", &target]);
    assert!(
        said.contains("has no credentials") && said.contains("AWS_ACCESS_KEY_ID"),
        "{said}"
    );

    // Without a config, by the usual variables.
    std::fs::remove_file(bench.path("config.toml")).unwrap();
    let plain = format!("ebs:{volume}");
    let said = refused(&bench, &["list", &plain]);
    assert!(said.contains("no cloud is known"), "{said}");
    let words = ["snapshot", "list", "--json", &plain].map(OsStr::new);
    let listed = bench
        .coffer_command(&words)
        .env("AWS_REGION", HERE)
        .env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{}", moto.port))
        .env("AWS_ACCESS_KEY_ID", &key)
        .env("AWS_SECRET_ACCESS_KEY", &secret)
        .output()
        .unwrap();
    assert!(listed.status.success(), "{}", both(&listed));
    assert_eq!(id(&results(&listed)[0]), id(&one));
}
