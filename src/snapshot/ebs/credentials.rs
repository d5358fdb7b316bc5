//! What a cloud knows its user by. Wiped when no longer needed, never printed.

use std::fmt;

use serde::Deserialize;
use zeroize::Zeroizing;

use crate::vault::Time;

/// A key, its secret, and what goes with those that are lent for a while.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The key's id: not a secret.
    pub key: String,
    /// The secret.
    pub secret: Zeroizing<String>,
    /// What lent credentials are sent with.
    pub token: Option<Zeroizing<String>>,
    /// When lent credentials end.
    pub ends: Option<i64>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

/// What a credentials command prints, as the clouds' own tools do for each other.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Printed {
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
    expiration: Option<String>,
}

impl Credentials {
    /// Credentials that do not end.
    pub fn new(key: &str, secret: &str, token: Option<&str>) -> Credentials {
        Credentials {
            key: key.to_owned(),
            secret: Zeroizing::new(secret.to_owned()),
            token: token.map(|token| Zeroizing::new(token.to_owned())),
            ends: None,
        }
    }

    /// What a command printed: JSON with `AccessKeyId` and `SecretAccessKey`, or lines as in a credentials file.
    pub fn printed(text: &str) -> Result<Credentials, String> {
        if !text.trim_start().starts_with('{') {
            return Credentials::of_lines(text.lines())
                .ok_or_else(|| "it prints neither JSON with AccessKeyId and SecretAccessKey nor such lines".into());
        }
        // The parser's own words could tell parts of the secret.
        let printed: Printed = serde_json::from_str(text)
            .map_err(|error| format!("its JSON lacks AccessKeyId or SecretAccessKey (line {})", error.line()))?;
        let ends = printed.expiration.as_deref().and_then(Time::parse);
        Ok(Credentials {
            key: printed.access_key_id,
            secret: Zeroizing::new(printed.secret_access_key),
            token: printed
                .session_token
                .filter(|token| !token.is_empty())
                .map(Zeroizing::new),
            ends: ends.map(|time| time.seconds),
        })
    }

    /// Those of a profile in a credentials file: `[default]`, below it `aws_access_key_id = …`.
    pub fn of_profile(file: &str, profile: &str) -> Option<Credentials> {
        Credentials::of_lines(section(file, profile))
    }

    fn of_lines<'a>(lines: impl Iterator<Item = &'a str>) -> Option<Credentials> {
        let (mut key, mut secret, mut token) = (None, None, None);
        for (name, value) in lines.filter_map(pair) {
            match name {
                "aws_access_key_id" => key = Some(value),
                "aws_secret_access_key" => secret = Some(value),
                "aws_session_token" => token = Some(value),
                _ => {}
            }
        }
        Some(Credentials::new(key?, secret?, token))
    }

    /// Whether they can stand in a request at all; why not.
    pub fn check(&self) -> Result<(), String> {
        let plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        if !plain(&self.key) {
            return Err("the access key is empty, or has characters that no key has".into());
        }
        if self.secret.is_empty() {
            return Err("the secret key is empty".into());
        }
        match self.token.as_ref().is_none_or(|token| plain(token)) {
            true => Ok(()),
            false => Err("the session token has characters that none has".into()),
        }
    }
}

/// A value of a profile in one of the files that the clouds' tools share; in the config file its title is `[profile NAME]`.
pub fn setting(file: &str, profile: &str, name: &str) -> Option<String> {
    let of = |title: &str| {
        let mut pairs = section(file, title).filter_map(pair);
        pairs.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
    };
    of(&format!("profile {profile}")).or_else(|| of(profile))
}

/// The lines below a title.
fn section<'a>(file: &'a str, title: &str) -> impl Iterator<Item = &'a str> {
    let is_title = |line: &&str| line.trim_start().starts_with('[');
    let wanted = title.to_owned();
    let mut lines = file.lines().skip_while(move |line| {
        let inner = line.trim().strip_prefix('[').and_then(|line| line.strip_suffix(']'));
        inner.is_none_or(|inner| inner.split_whitespace().collect::<Vec<_>>().join(" ") != wanted)
    });
    lines.next();
    lines.take_while(move |line| !is_title(line))
}

fn pair(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once('=')?;
    // Indented lines belong to the value before; a comment stands on a line of its own.
    let usable = !line.starts_with([' ', '\t', '#', ';']);
    usable.then(|| (name.trim(), value.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# mine\n[default]\naws_access_key_id = AKIA1\naws_secret_access_key=s1/+=\n\n[ backup ]\n\
        aws_access_key_id=AKIA2\naws_secret_access_key = s2\naws_session_token = t2\nregion = eu-west-1\n";

    #[test]
    fn profiles_are_read_and_secrets_are_not_shown() {
        let first = Credentials::of_profile(FILE, "default").unwrap();
        assert_eq!((first.key.as_str(), first.secret.as_str()), ("AKIA1", "s1/+="));
        let second = Credentials::of_profile(FILE, "backup").unwrap();
        assert_eq!(second.token.as_ref().unwrap().as_str(), "t2");
        assert!(Credentials::of_profile(FILE, "none").is_none());
        assert_eq!(setting(FILE, "backup", "region").as_deref(), Some("eu-west-1"));
        let config = "[profile backup]\nregion = us-east-2\n";
        assert_eq!(setting(config, "backup", "region").as_deref(), Some("us-east-2"));
        let shown = format!("{second:?}");
        assert!(
            shown.contains("AKIA2") && !shown.contains("s2") && !shown.contains("t2"),
            "{shown}"
        );
    }

    #[test]
    fn what_a_command_prints_is_understood() {
        let json = r#"{"Version":1,"AccessKeyId":"A","SecretAccessKey":"B","SessionToken":"C",
            "Expiration":"2026-11-29T15:00:00+00:00"}"#;
        let read = Credentials::printed(json).unwrap();
        assert_eq!((read.key.as_str(), read.secret.as_str()), ("A", "B"));
        assert_eq!(read.ends, Some(1_795_964_400));
        let lines = "aws_access_key_id=A\naws_secret_access_key=B\n";
        assert_eq!(Credentials::printed(lines).unwrap(), Credentials::new("A", "B", None));
        let wrong = Credentials::printed(r#"{"AccessKeyId":"A","SecretAccessKey":17}"#).unwrap_err();
        assert!(wrong.contains("SecretAccessKey") && !wrong.contains("17"), "{wrong}");
        assert!(Credentials::printed("locked").is_err());
    }

    #[test]
    fn what_cannot_stand_in_a_header_is_refused() {
        assert!(Credentials::new("A", "B", None).check().is_ok());
        for (key, secret, token) in [
            ("", "B", None),
            ("A", "", None),
            ("A\r\nX: y", "B", None),
            ("A", "B", Some("a b")),
        ] {
            assert!(Credentials::new(key, secret, token).check().is_err());
        }
    }
}
