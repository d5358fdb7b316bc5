//! The vault's own config file: its version, its id and the polynomial its files are cut with.

use serde::{Deserialize, Serialize};

use super::chunker;

/// The config as stored: encrypted, never compressed. Fields this program does not know are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    /// 1 or 2.
    pub version: u32,
    /// 64 hex digits.
    pub id: String,
    /// The polynomial of the chunker, in hex.
    #[serde(rename = "chunker_polynomial", with = "polynomial")]
    pub polynomial: u64,
}

/// The most bytes a config file may have.
pub(super) const MAX_SIZE: u64 = 1 << 20;

impl Config {
    /// Reads the plain bytes of a config file. The error says what is wrong with them.
    pub fn decode(plain: &[u8]) -> Result<Config, String> {
        /// Just the version, which decides what else there is.
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        let Version { version } = serde_json::from_slice(plain).map_err(|error| error.to_string())?;
        if !(1..=2).contains(&version) {
            return Err(format!(
                "it is of version {version}; this program knows versions 1 and 2"
            ));
        }
        let config: Config = serde_json::from_slice(plain).map_err(|error| error.to_string())?;
        if config.id.parse::<super::Id>().is_err() {
            return Err("its id is not 64 hex digits".into());
        }
        if !chunker::is_irreducible(config.polynomial) {
            return Err(format!(
                "its chunker polynomial {:x} is not irreducible of degree 53",
                config.polynomial
            ));
        }
        Ok(config)
    }

    /// The plain bytes of the config file.
    pub fn encode(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(self)
    }
}

/// A polynomial as lower-case hex without a prefix.
mod polynomial {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(polynomial: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{polynomial:x}"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        // `from_str_radix` would take a sign.
        if !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(D::Error::custom("the chunker polynomial is not a hex number"));
        }
        u64::from_str_radix(&text, 16).map_err(|_| D::Error::custom("the chunker polynomial is not a hex number"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "5956a3f67a6230d4a92cefb29529f10196c7d92582ec305fd71ff6d331d6271b";

    fn json(version: u32, id: &str, polynomial: &str) -> String {
        format!(r#"{{"version":{version},"id":"{id}","chunker_polynomial":"{polynomial}"}}"#)
    }

    #[test]
    fn bytes_are_restics() {
        let text = json(2, ID, "25b468838dcb75");
        let config = Config::decode(text.as_bytes()).unwrap();
        assert_eq!(
            config,
            Config {
                version: 2,
                id: ID.into(),
                polynomial: 0x25b468838dcb75
            }
        );
        assert_eq!(config.encode().unwrap(), text.as_bytes());
    }

    #[test]
    fn unknown_fields_are_ignored_and_the_rest_is_checked() {
        let refused = |text: &str| Config::decode(text.as_bytes()).unwrap_err();
        let text = format!(r#"{{"version":1,"id":"{ID}","chunker_polynomial":"25b468838dcb75","new":[1]}}"#);
        assert_eq!(Config::decode(text.as_bytes()).unwrap().version, 1);
        assert_eq!(
            refused(r#"{"version":3,"other":"layout"}"#),
            "it is of version 3; this program knows versions 1 and 2"
        );
        assert_eq!(
            refused(&json(2, "abc", "25b468838dcb75")),
            "its id is not 64 hex digits"
        );
        assert_eq!(
            refused(&json(2, ID, "25b468838dcb74")),
            "its chunker polynomial 25b468838dcb74 is not irreducible of degree 53"
        );
        for polynomial in ["0x25b468838dcb75", "+25b468838dcb75", "", "25b468838dcb75ffff"] {
            assert!(refused(&json(2, ID, polynomial)).contains("hex number"), "{polynomial}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_a_config_or_an_error(id in ".{0,70}", polynomial in "[0-9a-f]{0,20}", version: u32) {
            let good = id.parse::<crate::vault::Id>().is_ok() && (1..=2).contains(&version);
            let json = serde_json::json!({ "version": version, "id": id, "chunker_polynomial": polynomial });
            let decoded = Config::decode(json.to_string().as_bytes());
            proptest::prop_assert!(good || decoded.is_err());
            if let Ok(config) = decoded {
                proptest::prop_assert!(chunker::is_irreducible(config.polynomial));
                proptest::prop_assert_eq!(Config::decode(&config.encode().unwrap()), Ok(config));
            }
        }
    }
}
