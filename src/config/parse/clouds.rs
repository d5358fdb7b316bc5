//! `[clouds.NAME]`.

use super::super::clouds::DEFAULT_WAIT_SECONDS;
use super::super::{CloudConfig, CredentialSource, Result};
use super::table::Table;
use super::{check_name, command};
use crate::snapshot::ebs::{Endpoint, is_place_name};

const KEYS: &[&str] = &[
    "region",
    "endpoint",
    "allow-http",
    "profile",
    "credentials-command",
    "wait-seconds",
];

/// The longest wait, in seconds: a week.
const LONGEST_WAIT: u64 = 7 * 86_400;

pub(super) fn cloud(name: &str, at: usize, table: &Table) -> Result<CloudConfig> {
    table.only(KEYS)?;
    check_name(name, at, table)?;
    let region = table.string("region")?;
    if let Some((text, at)) = region.as_ref().filter(|(text, _)| !is_place_name(text)) {
        return Err(table
            .source
            .error(*at, &format!("{text:?} is no region, such as eu-central-1")));
    }
    let allow_http = table.boolean("allow-http")?;
    let endpoint = match table.string("endpoint")? {
        None => None,
        Some((text, at)) => Some(Endpoint::parse(&text, allow_http).map_err(|why| table.source.error(at, &why))?),
    };
    let credentials = match (table.string("profile")?, command(table, "credentials-command")?) {
        (Some((_, at)), Some(_)) => {
            return Err(table.source.error(at, "give profile or credentials-command, not both"));
        }
        (Some((profile, _)), None) => CredentialSource::Profile(profile),
        (None, Some(words)) => CredentialSource::Command(words),
        (None, None) => CredentialSource::Usual,
    };
    let wait_seconds = match table.integer("wait-seconds")? {
        None => DEFAULT_WAIT_SECONDS,
        Some((n, at)) => u64::try_from(n)
            .ok()
            .filter(|n| (1..=LONGEST_WAIT).contains(n))
            .ok_or_else(|| {
                let what = format!("wait-seconds is a number of seconds, 1 to {LONGEST_WAIT}");
                table.source.error(at, &what)
            })?,
    };
    Ok(CloudConfig {
        name: name.into(),
        region: region.map(|(text, _)| text),
        endpoint,
        credentials,
        wait_seconds,
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;

    fn parse(text: &str) -> Result<Config, String> {
        Config::parse(text, Path::new("/c.toml")).map_err(|error| error.to_string())
    }

    #[test]
    fn clouds_are_read() {
        let text = "[clouds.frankfurt]\nregion = \"eu-central-1\"\nprofile = \"backup\"\n\
            [clouds.own]\nendpoint = \"http://127.0.0.1:5000\"\ncredentials-command = \"pass show own\"\nwait-seconds = 5\n";
        let config = parse(text).unwrap();
        let [first, second] = config.clouds.as_slice() else {
            panic!("two clouds")
        };
        assert_eq!(first.credentials, CredentialSource::Profile("backup".into()));
        assert_eq!((first.wait_seconds, second.wait_seconds), (DEFAULT_WAIT_SECONDS, 5));
        let shell = ["sh", "-c", "pass show own"].map(str::to_owned).to_vec();
        assert_eq!(second.credentials, CredentialSource::Command(shell));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let wrong = |text: &str| parse(&format!("[clouds.a]\n{text}\n")).unwrap_err();
        let http = wrong("endpoint = \"http://ec2.example.org\"");
        assert!(
            http.starts_with("/c.toml:2:") && http.contains("allow-http = true"),
            "{http}"
        );
        assert!(parse("[clouds.a]\nendpoint = \"http://ec2.example.org\"\nallow-http = true\n").is_ok());
        assert!(wrong("region = \"Frankfurt\"").contains("no region"));
        assert!(wrong("profile = \"a\"\ncredentials-command = \"b\"").contains("not both"));
        assert!(wrong("wait-seconds = 0").contains("1 to 604800"));
        assert!(wrong("secret = \"x\"").contains("no key"));
    }
}
