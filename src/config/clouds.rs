//! Clouds as the user describes them, and what the environment says of them.
//!
//! Secrets do not stand in the config: they come from the environment, from the file that the clouds' own tools share
//! (`~/.aws/credentials`), or from a command. Which of these is said here; reading them is the engine's.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use crate::snapshot::ebs::{Credentials, Endpoint};

/// How long a cloud may take to write a snapshot unless it is said otherwise, in seconds: large volumes take hours.
pub const DEFAULT_WAIT_SECONDS: u64 = 6 * 3600;

/// A cloud with volumes, by the EC2 interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloudConfig {
    /// Its name, unique.
    pub name: String,
    /// Its region; the usual one (`AWS_REGION`, the shared config) when `None`.
    pub region: Option<String>,
    /// Where it is asked; Amazon's own when `None`.
    pub endpoint: Option<Endpoint>,
    /// Where its credentials come from.
    pub credentials: CredentialSource,
    /// How many seconds a snapshot or volume may take to be whole.
    pub wait_seconds: u64,
}

/// Where credentials come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialSource {
    /// The environment, else the usual profile of the shared file.
    Usual,
    /// This profile of the shared file.
    Profile(String),
    /// What a program and its arguments print.
    Command(Vec<String>),
}

/// What the environment says of clouds, as their own tools understand it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct CloudSurroundings {
    /// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`.
    pub credentials: Option<Credentials>,
    /// `AWS_REGION`, else `AWS_DEFAULT_REGION`.
    pub region: Option<String>,
    /// `AWS_ENDPOINT_URL_EC2`, else `AWS_ENDPOINT_URL`.
    pub endpoint: Option<String>,
    /// `AWS_PROFILE`.
    pub profile: Option<String>,
    /// `AWS_SHARED_CREDENTIALS_FILE`, else `~/.aws/credentials`.
    pub credentials_file: Option<PathBuf>,
    /// `AWS_CONFIG_FILE`, else `~/.aws/config`.
    pub config_file: Option<PathBuf>,
}

impl fmt::Debug for CloudSurroundings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CloudSurroundings")
            .field("credentials", &self.credentials)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

impl CloudSurroundings {
    /// Picks what matters through `get`.
    pub fn read(get: impl Fn(&str) -> Option<OsString>) -> CloudSurroundings {
        let value = |name: &str| get(name).filter(|value| !value.is_empty());
        let text = |name: &str| value(name).and_then(|value| value.into_string().ok());
        let file = |name: &str, usual: &str| {
            let home = || value("HOME").map(|home| PathBuf::from(home).join(".aws").join(usual));
            value(name).map(PathBuf::from).or_else(home)
        };
        let secret = text("AWS_SECRET_ACCESS_KEY").map(zeroize::Zeroizing::new);
        let token = text("AWS_SESSION_TOKEN").map(zeroize::Zeroizing::new);
        CloudSurroundings {
            credentials: text("AWS_ACCESS_KEY_ID").zip(secret).map(|(key, secret)| Credentials {
                key,
                secret,
                token,
                ends: None,
            }),
            region: text("AWS_REGION").or_else(|| text("AWS_DEFAULT_REGION")),
            endpoint: text("AWS_ENDPOINT_URL_EC2").or_else(|| text("AWS_ENDPOINT_URL")),
            profile: text("AWS_PROFILE"),
            credentials_file: file("AWS_SHARED_CREDENTIALS_FILE", "credentials"),
            config_file: file("AWS_CONFIG_FILE", "config"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_variables_are_understood() {
        let get = |name: &str| {
            let value = match name {
                "AWS_ACCESS_KEY_ID" => "A",
                "AWS_SECRET_ACCESS_KEY" => "B",
                "AWS_SESSION_TOKEN" => "",
                "AWS_DEFAULT_REGION" => "eu-west-1",
                "HOME" => "/home/u",
                _ => return None,
            };
            Some(OsString::from(value))
        };
        let read = CloudSurroundings::read(get);
        assert_eq!(read.credentials, Some(Credentials::new("A", "B", None)));
        assert_eq!(read.region.as_deref(), Some("eu-west-1"));
        assert_eq!(read.credentials_file, Some("/home/u/.aws/credentials".into()));
        assert!(!format!("{read:?}").contains('B'));
        assert_eq!(CloudSurroundings::read(|_| None), CloudSurroundings::default());
    }
}
