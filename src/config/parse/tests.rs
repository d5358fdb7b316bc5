use super::*;
use crate::retention::Policy;
use insta::assert_snapshot;
use proptest::prelude::*;

fn read(text: &str) -> Result<Config> {
    Config::parse(text, Path::new("/etc/coffer/config.toml"))
}

fn complaint(text: &str) -> String {
    read(text).unwrap_err().to_string()
}

#[test]
fn a_full_config_is_read() {
    let config = read(
        r#"
        [vaults.home]
        path = "/srv/home"
        password-file = "home.password"
        compression = "max"
        pack-size = "32M"
        price = "wasabi"
        [vaults."away from home"]
        path = "vaults/away"
        password-command = ["pass", "show", "away"]
        [plans.etc]
        paths = ["/etc", "/root"]
        vaults = ["home", "away from home"]
        excludes = ["*.tmp"]
        exclude-files = ["excludes"]
        exclude-caches = true
        one-file-system = true
        exclude-larger-than = "2GiB"
        tags = ["daily"]
        host = "web1"
        schedule = "Daily 2:00"
        retention-days = 30
        [plans.all]
        paths = ["/"]
        vault = "home"
        "#,
    )
    .unwrap();
    assert_eq!(
        config.vaults.iter().map(|v| v.name.as_str()).collect::<Vec<_>>(),
        ["home", "away from home"]
    );
    assert_eq!(
        config.vaults[0],
        VaultConfig {
            name: "home".into(),
            path: "/srv/home".into(),
            password: Some(PasswordSource::File("/etc/coffer/home.password".into())),
            compression: Some(Compression::Max),
            pack_size: Some(32 << 20),
            price: Some("wasabi".into()),
        }
    );
    assert_eq!(config.vaults[1].path, Path::new("/etc/coffer/vaults/away"));
    assert_eq!(config.plans[0].exclude_larger_than, Some(2 << 30));
    assert_eq!(config.plans[0].exclude_files, [Path::new("/etc/coffer/excludes")]);
    assert_eq!(config.plans[0].retention, Policy::of_days(30));
    assert_eq!(config.plans[0].schedule, "daily 02:00".parse().ok());
    let all = config.plan("all").unwrap();
    assert_eq!(all.retention, Policy::of_days(730));
    assert_eq!(
        (all.vaults.as_slice(), all.exclude_caches),
        (&["home".to_owned()][..], false)
    );
}

#[test]
fn a_missing_file_is_empty_and_an_empty_file_too() {
    assert_eq!(
        Config::load(Path::new("/nonexistent/coffer.toml")).unwrap(),
        Config::default()
    );
    assert_eq!(read("# nothing yet\n").unwrap(), Config::default());
}

#[test]
fn complaints_name_file_line_and_what_was_meant() {
    assert_snapshot!(complaint("[vaults.a]\npath = \"/a\"\npasword-file = \"x\"\n"), @r#"/etc/coffer/config.toml:3: vault "a" has no key "pasword-file": did you mean password-file?"#);
    assert_snapshot!(complaint("[vaults.a]\npath = \"/a\"\ncolour = 1\n"), @r#"/etc/coffer/config.toml:3: vault "a" has no key "colour": it can have path, password-file, password-command, compression, pack-size, price"#);
    assert_snapshot!(complaint("\n[valts.a]\n"), @r#"/etc/coffer/config.toml:2: the config has no key "valts": did you mean vaults?"#);
    assert_snapshot!(complaint("[vaults.a]\n\n[vaults.b]\npath = \"/b\""), @r#"/etc/coffer/config.toml:1: vault "a" lacks path = "/folder""#);
    assert_snapshot!(complaint("[vaults.a]\npath = 5\n"), @r#"/etc/coffer/config.toml:2: path of vault "a" must be a string, not integer"#);
    assert_snapshot!(complaint("[vaults.a]\npath = \"/a\"\npack-size = \"1M\"\n"), @"/etc/coffer/config.toml:3: pack-size can be 4M to 128M");
    assert_snapshot!(complaint("[vaults.a]\npath = \"/a\"\ncompression = \"zip\"\n"), @r#"/etc/coffer/config.toml:3: compression is "zip": it can be "auto", "off" or "max""#);
    assert_snapshot!(complaint("[vaults.home]\npath = \"/a\"\n[plans.p]\npaths = [\"/etc\"]\nvault = \"hme\"\n"), @r#"/etc/coffer/config.toml:5: there is no vault "hme" in this file; did you mean home?"#);
    assert_snapshot!(complaint("[vaults.a]\npath = \"/a\"\n[plans.p]\npaths = [\"etc\"]\nvault = \"a\"\n"), @r#"/etc/coffer/config.toml:4: "etc" is not an absolute path"#);
    assert_snapshot!(complaint("[vaults.a]\npath = \"/a\"\n[plans.p]\npaths = [\"/etc\", 7]\nvault = \"a\"\n"), @r#"/etc/coffer/config.toml:4: paths of plan "p" must be an array of strings, not integer"#);
    assert_snapshot!(complaint("[vaults.a]\npath = \"/a\"\n[plans.p]\npaths = [\"/etc\"]\nvault = \"a\"\nretention-days = 0\n"), @"/etc/coffer/config.toml:6: retention-days is a number of days, 1 or more");
    assert_snapshot!(complaint("[vaults.a]\npath = \"/a\"\n[vaults.a]\npath = \"/b\"\n"), @"/etc/coffer/config.toml:3: duplicate key");
    assert_snapshot!(complaint("[vaults]\na = \"/a\"\n"), @r#"/etc/coffer/config.toml:2: vault "a" must be a table: [vaults.a]"#);
    assert_snapshot!(complaint("[vaults.\"a/b\"]\npath = \"/a\"\n"), @r#"/etc/coffer/config.toml:1: "a/b" cannot be a name: no slash, no control characters, and not starting with -, . or ~"#);
}

#[test]
fn a_schedule_that_makes_no_sense_is_complained_of() {
    let text = "[vaults.a]\npath = \"/a\"\n[plans.p]\npaths = [\"/etc\"]\nvault = \"a\"\nschedule = \"daily\"\n";
    assert!(complaint(text).starts_with("/etc/coffer/config.toml:6: \"daily\" is no schedule: it lacks a time"));
}

#[test]
fn sizes() {
    assert_eq!(parse_size("16M"), Some(16 << 20));
    assert_eq!(parse_size(" 5 GiB"), Some(5 << 30));
    assert_eq!(parse_size("5kb"), Some(5 << 10));
    assert_eq!(parse_size("12"), Some(12));
    for bad in ["", "M", "-1", "1.5G", "99999999T", "5X", "5 M M"] {
        assert_eq!(parse_size(bad), None, "{bad}");
    }
}

proptest! {
    #[test]
    fn any_text_gives_a_config_or_a_line_in_range(text in "[a-z\\[\\].=\"\n 0-9#{},']{0,120}") {
        match read(&text) {
            Ok(config) => prop_assert!(config.plans.is_empty() || !config.vaults.is_empty()),
            Err(Error::Invalid { line, .. }) => prop_assert!(line >= 1 && line <= text.lines().count().max(1) + 1),
            Err(other) => prop_assert!(false, "{other}"),
        }
    }
}

#[test]
fn rules_are_read_and_what_keeps_nothing_is_complained_of() {
    let text =
        |keys: &str| format!("[vaults.a]\npath = \"/a\"\n[plans.p]\npaths = [\"/etc\"]\nvault = \"a\"\n{keys}\n");
    let rule = |keys: &str| read(&text(keys)).unwrap().plans[0].retention.to_string();
    assert_snapshot!(rule(""), @"730 days");
    assert_snapshot!(rule("keep-min = 3"), @"730 days, the newest 3 longer");
    assert_snapshot!(rule("keep-daily = 7\nkeep-within-yearly = \"9y\""), @"daily 7, yearly within 9y");
    assert_snapshot!(rule("keep-last = \"unlimited\"\nretention-days = 30\nkeep-min = 0\nkeep-tags = [\"a, b\"]"), @"30 days and not longer, last unlimited, tags a,b");
    let wrong = |keys: &str| complaint(&text(keys));
    assert_snapshot!(wrong("keep-last = 0"), @r#"/etc/coffer/config.toml:6: keep-last is a number of generations, 1 or more, or "unlimited"; leave the key out for none"#);
    assert_snapshot!(wrong("keep-daily = \"many\""), @r#"/etc/coffer/config.toml:6: keep-daily is a number of generations, 1 or more, or "unlimited"; leave the key out for none"#);
    assert_snapshot!(wrong("keep-weekly = -2"), @r#"/etc/coffer/config.toml:6: keep-weekly is a number of generations, 1 or more, or "unlimited"; leave the key out for none"#);
    assert_snapshot!(wrong("keep-within = \"2w\""), @r#"/etc/coffer/config.toml:6: keep-within: "2w" is no span of time: give years, months, days and hours such as 1y6m, 14d or 36h, each with its number before it and no spaces"#);
    assert_snapshot!(wrong("keep-within-daily = \"0d\""), @"/etc/coffer/config.toml:6: keep-within-daily is a span of nothing: leave it out");
    assert_snapshot!(wrong("keep-daily = 7\nkeep-min = 3"), @"/etc/coffer/config.toml:7: keep-min goes with retention-days: with other keep keys, say keep-last");
    assert_snapshot!(wrong("keep-min = -1"), @"/etc/coffer/config.toml:6: keep-min is a number, 0 or more");
    assert_snapshot!(wrong("keep-dayly = 1"), @r#"/etc/coffer/config.toml:6: plan "p" has no key "keep-dayly": did you mean keep-daily?"#);
}
