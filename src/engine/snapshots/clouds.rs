//! Which clouds there are, by the config and the environment, and where their credentials come from.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use zeroize::Zeroizing;

use crate::config::{CloudConfig, CloudSurroundings, CredentialSource};
use crate::engine::Engine;
use crate::engine::password::{from_command, from_file};
use crate::snapshot::ebs::{Cloud, Credentials, Ebs, Endpoint, Source, is_place_name, setting};

/// What asks the clouds of this config, with the connections and credentials it has.
#[derive(Debug)]
pub struct AskedClouds {
    config: Vec<CloudConfig>,
    ebs: Arc<Ebs>,
}

/// What the one cloud is called that is there without being configured.
const UNNAMED: &str = "aws";

impl Engine {
    /// What asks the clouds: the same until the config says otherwise.
    pub(super) fn ebs(&self) -> Arc<Ebs> {
        let config = self.config();
        let mut kept = self.0.clouds.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(asked) = kept.as_ref().filter(|asked| asked.config == config.clouds) {
            return asked.ebs.clone();
        }
        let around = &self.settings().clouds;
        let (mut clouds, mut broken) = (Vec::new(), Vec::new());
        let unnamed = unnamed(around);
        for one in config
            .clouds
            .iter()
            .chain(unnamed.as_ref().filter(|_| config.clouds.is_empty()))
        {
            match self.cloud(one, around) {
                Ok(cloud) => clouds.push(cloud),
                Err(why) => broken.push((one.name.clone(), why)),
            }
        }
        let ebs = Arc::new(Ebs::new(clouds, broken));
        *kept = Some(AskedClouds {
            config: config.clouds.clone(),
            ebs: ebs.clone(),
        });
        ebs
    }

    fn cloud(&self, config: &CloudConfig, around: &CloudSurroundings) -> Result<Cloud, String> {
        let name = &config.name;
        let profile = profile_of(config, around);
        let shared = |name: &str| {
            let file = from_file(around.config_file.as_ref()?).ok()?;
            setting(std::str::from_utf8(&file).ok()?, &profile, name)
        };
        let region = config
            .region
            .clone()
            .or_else(|| around.region.clone())
            .or_else(|| shared("region"));
        let region = region.ok_or_else(|| format!("cloud {name} has no region: give it region = \"eu-central-1\""))?;
        if !is_place_name(&region) {
            return Err(format!("{region:?} is no region, such as eu-central-1"));
        }
        let endpoint = match (&config.endpoint, &around.endpoint) {
            (Some(endpoint), _) => endpoint.clone(),
            (None, Some(text)) => Endpoint::parse(text, false)?,
            (None, None) => Endpoint::amazon(&region),
        };
        Ok(Cloud {
            name: name.clone(),
            region,
            endpoint,
            wait: Duration::from_secs(config.wait_seconds),
            credentials: source(config, around, profile),
            clock: self.settings().clock.clone(),
        })
    }
}

/// The cloud that the environment tells of, without any in the config.
fn unnamed(around: &CloudSurroundings) -> Option<CloudConfig> {
    let told = around.region.is_some() || around.credentials.is_some() || around.profile.is_some();
    let has_file = || around.config_file.as_ref().is_some_and(|file| file.exists());
    (told || has_file()).then(|| CloudConfig {
        name: UNNAMED.into(),
        region: None,
        endpoint: None,
        credentials: CredentialSource::Usual,
        wait_seconds: crate::config::DEFAULT_WAIT_SECONDS,
    })
}

fn profile_of(config: &CloudConfig, around: &CloudSurroundings) -> String {
    match &config.credentials {
        CredentialSource::Profile(profile) => profile.clone(),
        _ => around.profile.clone().unwrap_or_else(|| "default".into()),
    }
}

fn source(config: &CloudConfig, around: &CloudSurroundings, profile: String) -> Source {
    let (source, around) = (config.credentials.clone(), around.clone());
    Arc::new(move || match (&source, &around.credentials) {
        (CredentialSource::Command(words), _) => of_command(words),
        (CredentialSource::Usual, Some(credentials)) => Ok(credentials.clone()),
        (CredentialSource::Usual | CredentialSource::Profile(_), _) => of_profile(&around, &profile),
    })
}

fn of_command(words: &[String]) -> Result<Credentials, String> {
    let printed = from_command(words).map_err(|why| format!("the credentials command failed: {why}"))?;
    let text = std::str::from_utf8(&printed).map_err(|_| "the credentials command prints no text".to_owned())?;
    Credentials::printed(text).map_err(|why| format!("the credentials command is of no use: {why}"))
}

fn of_profile(around: &CloudSurroundings, profile: &str) -> Result<Credentials, String> {
    let help = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the cloud a profile or credentials-command";
    let Some(file) = &around.credentials_file else {
        return Err(help.into());
    };
    let shown = file.display();
    let bytes: Zeroizing<Vec<u8>> = from_file(file).map_err(|why| format!("cannot read {shown}: {why}; {help}"))?;
    let found = std::str::from_utf8(&bytes)
        .ok()
        .and_then(|text| Credentials::of_profile(text, profile));
    found.ok_or_else(|| format!("{shown} has no profile {profile:?} with a key and its secret; {help}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(credentials: CredentialSource) -> CloudConfig {
        CloudConfig {
            name: "a".into(),
            region: None,
            endpoint: None,
            credentials,
            wait_seconds: 1,
        }
    }

    fn key(credentials: CredentialSource, around: &CloudSurroundings) -> Result<String, String> {
        let config = config(credentials);
        let profile = profile_of(&config, around);
        source(&config, around, profile)().map(|got| got.key)
    }

    #[test]
    fn credentials_come_from_where_it_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("credentials");
        std::fs::write(
            &file,
            "[default]\naws_access_key_id=D\naws_secret_access_key=d\n\
            [backup]\naws_access_key_id=B\naws_secret_access_key=b\n",
        )
        .unwrap();
        let mut around = CloudSurroundings {
            credentials_file: Some(file),
            ..CloudSurroundings::default()
        };
        let profile = |name: &str| CredentialSource::Profile(name.into());
        assert_eq!(key(CredentialSource::Usual, &around), Ok("D".into()));
        assert_eq!(key(profile("backup"), &around), Ok("B".into()));
        assert!(
            key(profile("none"), &around)
                .unwrap_err()
                .contains("no profile \"none\"")
        );
        around.profile = Some("backup".into());
        assert_eq!(key(CredentialSource::Usual, &around), Ok("B".into()));
        around.credentials = Some(Credentials::new("E", "e", None));
        assert_eq!(key(CredentialSource::Usual, &around), Ok("E".into()));
        assert_eq!(key(profile("backup"), &around), Ok("B".into()));
        let command = |text: &str| CredentialSource::Command(["sh", "-c", text].map(str::to_owned).to_vec());
        let json = r#"echo '{"AccessKeyId":"C","SecretAccessKey":"c"}'"#;
        assert_eq!(key(command(json), &around), Ok("C".into()));
        assert!(
            key(command("echo locked >&2; exit 1"), &around)
                .unwrap_err()
                .contains("locked")
        );
        let none = CloudSurroundings::default();
        assert!(
            key(CredentialSource::Usual, &none)
                .unwrap_err()
                .contains("AWS_ACCESS_KEY_ID")
        );
        assert!(unnamed(&none).is_none() && unnamed(&around).is_some());
    }
}
