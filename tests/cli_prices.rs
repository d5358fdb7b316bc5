//! `coffer prices` and the price of a vault as a user meets them: the real program, also with an editor in a terminal.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test's helpers fail as tests do"
)]

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

struct Bench(tempfile::TempDir);

impl Bench {
    fn new() -> Bench {
        Bench(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_coffer"));
        command.args(arguments).current_dir(self.0.path()).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.path("home"));
        for (variable, name) in FOLDERS {
            command.env(variable, self.path(name));
        }
        command.output().unwrap()
    }

    /// What it prints; it must succeed and say nothing on standard error.
    fn good(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.is_empty(), "{arguments:?}: {said}");
        String::from_utf8(output.stdout)
            .unwrap()
            .replace(self.0.path().to_str().unwrap(), "…")
    }

    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.good(arguments)).unwrap()
    }

    /// What it says when it must fail.
    fn bad(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(!output.status.success(), "{arguments:?}");
        String::from_utf8(output.stderr)
            .unwrap()
            .replace(self.0.path().to_str().unwrap(), "…")
    }

    /// An editor that does as these lines of sh say, with the file's name in `$1`.
    fn editor(&self, script: &str) -> String {
        let editor = self.path("editor");
        fs::write(&editor, format!("#!/bin/sh\nset -e\n{script}\n")).unwrap();
        fs::set_permissions(&editor, fs::Permissions::from_mode(0o755)).unwrap();
        editor.display().to_string()
    }

    /// `coffer prices edit` in a terminal, with an answer when it asks: the exit code, and what was said.
    fn edit(&self, editor: &str, answer: &str) -> (u32, String) {
        let pty = portable_pty::native_pty_system();
        let pty = pty.openpty(portable_pty::PtySize::default()).unwrap();
        let mut command = portable_pty::CommandBuilder::new(env!("CARGO_BIN_EXE_coffer"));
        command.args(["prices", "edit"]);
        command.cwd(self.0.path());
        command.env("EDITOR", editor);
        command.env_remove("VISUAL");
        for (variable, name) in FOLDERS {
            command.env(variable, self.path(name));
        }
        let mut child = pty.slave.spawn_command(command).unwrap();
        let (mut reader, mut writer) = (
            pty.master.try_clone_reader().unwrap(),
            pty.master.take_writer().unwrap(),
        );
        drop(pty.slave);
        let mut said = Vec::new();
        let mut asked = false;
        let mut some = [0; 1024];
        // A terminal whose last process is gone answers with an error.
        while let Ok(n @ 1..) = reader.read(&mut some) {
            said.extend_from_slice(&some[..n]);
            if !asked && String::from_utf8_lossy(&said).contains("[Y/n]") {
                asked = true;
                writer.write_all(answer.as_bytes()).unwrap();
            }
        }
        let said = String::from_utf8(said).unwrap().replace('\r', "");
        (
            child.wait().unwrap().exit_code(),
            said.replace(self.0.path().to_str().unwrap(), "…"),
        )
    }
}

const FOLDERS: [(&str, &str); 3] = [
    ("COFFER_CONFIG", "config.toml"),
    ("COFFER_CACHE_DIR", "cache"),
    ("COFFER_DATA_DIR", "data"),
];

const DISK: &str = "[prices.nas]\nvendor = \"me\"\nname = \"NAS\"\ncurrency = \"EUR\"\ndisk = { price = 180, size = \"8 TB\", years = 5 }\n";

#[test]
fn prices_are_listed_and_shown() {
    let bench = Bench::new();
    fs::write(bench.path("prices.toml"), DISK).unwrap();
    let all = bench.json(&["prices", "--json"]);
    let ids: Vec<&str> = all
        .as_array()
        .unwrap()
        .iter()
        .map(|price| price["id"].as_str().unwrap())
        .collect();
    assert!(ids.contains(&"aws-s3-standard-us-east-1") && ids.last() == Some(&"nas"));
    insta::assert_snapshot!(bench.good(&["prices", "list", "--vendor", "wasabi"]), @"
    Id      Name                              Region  Rate                 Minimum                                                     Looked up  Confidence
    ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
    wasabi  Hot Cloud Storage, pay as you go          $0.00799 a GB-month  1 TB at least, 90 days at least, objects of 4 KiB at least  2026-07    third-party
    1 price; your own are in …/prices.toml: coffer prices edit
    ");
    insta::assert_snapshot!(bench.good(&["prices", "show", "nas"]), @"
    price           me NAS
    id              nas
    currency        EUR
    looked up       your own (in your own prices)
    unit            GB: a thousand million bytes
    month           the calendar's
    storage         €180.00 for a disk of 8 TB and 60 months
    requests        free
    retrieval       free
    egress          free
    replication     free
    ");
    let nas = bench.json(&["prices", "show", "nas", "--json"]);
    assert_eq!(
        (&nas["storage"]["disk"]["months"], &nas["own"]),
        (&60.into(), &true.into())
    );
    insta::assert_snapshot!(bench.bad(&["prices", "show", "wasaby"]), @r#"coffer: there is no price "wasaby": did you mean wasabi? see them: coffer prices list"#);
    insta::assert_snapshot!(bench.bad(&["prices", "list", "--vendor", "acme"]), @r#"coffer: no price is of a vendor "acme": there are Alibaba Cloud, AWS, Azure, Google Cloud, Backblaze, Wasabi, Cloudflare, Hetzner, rsync.net, Your own, me"#);
}

#[test]
fn a_vault_names_its_price() {
    let bench = Bench::new();
    insta::assert_snapshot!(bench.bad(&["vault", "add", "home", "v", "--price", "wasbi"]), @r#"coffer: there is no price "wasbi": did you mean wasabi? see them: coffer prices list"#);
    assert!(!bench.path("config.toml").exists());
    bench.good(&["vault", "add", "home", "v", "--price", "wasabi"]);
    assert_eq!(bench.json(&["vault", "list", "--json"])[0]["price"], "wasabi");
    insta::assert_snapshot!(bench.good(&["vault", "set", "home", "--price", "backblaze-b2"]), @"Vault home is at Backblaze B2 from now on.");
    assert!(
        fs::read_to_string(bench.path("config.toml"))
            .unwrap()
            .ends_with("price = \"backblaze-b2\"\n")
    );
    insta::assert_snapshot!(bench.good(&["vault", "set", "home", "--no-price"]), @"Vault home names no price any more.");
    insta::assert_snapshot!(bench.bad(&["vault", "set", "away", "--price", "wasabi"]), @"coffer: there is no vault away in …/config.toml");
    insta::assert_snapshot!(bench.bad(&["vault", "set", "home", "--price", "wasaby"]), @r#"coffer: there is no price "wasaby": did you mean wasabi? see them: coffer prices list"#);
}

#[test]
fn mistakes_in_prices_stop_no_other_command() {
    let bench = Bench::new();
    bench.good(&["vault", "add", "home", "v"]);
    fs::write(bench.path("prices.toml"), "[prices.x]\nvendro = \"a\"\n").unwrap();
    bench.good(&["vault", "list"]);
    let told = bench.run(&["prices"]);
    assert!(told.status.success());
    let told = String::from_utf8(told.stderr).unwrap();
    assert!(
        told.ends_with("prices.toml:2: price \"x\" has no key \"vendro\": did you mean vendor?\n"),
        "{told}"
    );
    let doctor = String::from_utf8(bench.run(&["doctor"]).stdout).unwrap();
    assert!(doctor.contains("has no key \"vendro\""), "{doctor}");
}

#[test]
fn without_a_terminal_the_file_is_made_and_named() {
    let bench = Bench::new();
    insta::assert_snapshot!(bench.good(&["prices", "edit"]).lines().next().unwrap(), @"…/prices.toml");
    let made = fs::read_to_string(bench.path("prices.toml")).unwrap();
    assert!(made.starts_with("# Your own prices."));
    // What is there stays.
    fs::write(bench.path("prices.toml"), DISK).unwrap();
    assert_eq!(bench.json(&["prices", "edit", "--json"])["made"], false);
    assert_eq!(fs::read_to_string(bench.path("prices.toml")).unwrap(), DISK);
}

#[test]
fn prices_are_edited_and_checked_before_they_take_effect() {
    let bench = Bench::new();
    fs::write(bench.path("disk"), DISK).unwrap();
    let here = bench.0.path().display().to_string();
    let drafts = || {
        fs::read_dir(bench.0.path())
            .unwrap()
            .filter(|file| file.as_ref().unwrap().file_name().to_string_lossy().contains("draft"))
            .count()
    };
    // Nothing is changed: nothing is written.
    insta::assert_snapshot!(bench.edit("true", "").1, @"nothing was changed");
    assert!(!bench.path("prices.toml").exists() && drafts() == 0);
    // The editor fails.
    let (code, said) = bench.edit("false", "");
    insta::assert_snapshot!(said, @r#"coffer: the editor "false" ended badly (exit status: 1); nothing was changed"#);
    assert!(code == 1 && drafts() == 0);
    // A mistake, then, asked again, what is right. The editor may be a command with options.
    let script = format!(
        "test \"$1\" = -w; if test -e {here}/again; then cat {here}/disk > \"$2\"; else touch {here}/again; echo '[prices.a]' > \"$2\"; fi"
    );
    let (code, said) = bench.edit(&format!("{} -w", bench.editor(&script)), "\n");
    insta::assert_snapshot!(said, @r#"
    coffer: line 1: price "a" lacks currency = "USD"
    Edit it again? [Y/n] 
    …/prices.toml: 1 price of your own
    "#);
    assert_eq!(code, 0);
    assert_eq!(fs::read_to_string(bench.path("prices.toml")).unwrap(), DISK);
    assert_eq!(drafts(), 0);
    // A mistake that is left: the file stays, what was written is kept.
    let (code, said) = bench.edit(&bench.editor("echo '[prices.b]' >> \"$1\""), "n\n");
    insta::assert_snapshot!(said, @r#"
    coffer: line 6: price "b" lacks currency = "USD"
    Edit it again? [Y/n] n
    coffer: nothing was changed; what you wrote is in …/prices.draft-1.toml
    "#);
    assert_eq!((code, drafts()), (1, 1));
    assert_eq!(fs::read_to_string(bench.path("prices.toml")).unwrap(), DISK);
}
