//! Key files: the master key, sealed under a password.
//!
//! A password becomes a key by scrypt with the file's own salt and cost; that key opens the file's `data`, which holds the
//! master key. All key files of a vault hold the same master key.

use std::time::Instant;

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::crypto::{KeyBytes, MasterKey, random_bytes};
use super::{Error, Result, Time};

/// Bytes of a salt: shorter and longer ones are refused.
const SALT_SIZE: usize = 64;
/// The most memory a key file may ask for, bytes: ten times what is usual.
const MAX_MEMORY: u64 = 512 << 20;
/// The most work a key file may ask for, in units of N·r·p: about a hundred times what is usual.
const MAX_WORK: u64 = 1 << 27;
/// How long deriving a key should take when a key file is made.
const TARGET_MICROSECONDS: u128 = 500_000;
/// The most bytes a key file may have.
pub(super) const MAX_SIZE: u64 = 1 << 20;

/// scrypt's cost: `N`, `r`, `p`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScryptParameters {
    /// CPU and memory cost, a power of two.
    pub n: u64,
    /// Block size.
    pub r: u32,
    /// Parallelisation.
    pub p: u32,
}

impl ScryptParameters {
    /// As cheap as it can be: for tests only.
    pub const FOR_TESTS: ScryptParameters = ScryptParameters { n: 2, r: 1, p: 1 };

    /// The cost that takes about half a second on this machine, in at most 60 MiB, as restic chooses it. Memory is what
    /// makes guessing dear, so that is always all of it: a machine that is slow or busy gets fewer passes.
    pub fn calibrate() -> Result<ScryptParameters> {
        // Of the powers of two, 2^15 blocks of 1 KiB is the largest that fits into 60 MiB.
        let once = ScryptParameters { n: 1 << 15, r: 8, p: 1 };
        let fits = TARGET_MICROSECONDS / once.time()?.max(1);
        let p = u32::try_from(fits.clamp(1, 16)).unwrap_or(1);
        Ok(ScryptParameters { p, ..once })
    }

    /// How long one derivation takes, microseconds.
    fn time(&self) -> Result<u128> {
        let start = Instant::now();
        self.derive(b"calibration", &[0; SALT_SIZE]).map_err(Error::Internal)?;
        Ok(start.elapsed().as_micros())
    }

    /// The key that a password and a salt give. The error says what is wrong with the cost.
    fn derive(&self, password: &[u8], salt: &[u8]) -> Result<MasterKey, String> {
        let (n, r, p) = (self.n, u64::from(self.r), u64::from(self.p));
        let bad = || format!("its key derivation has the impossible cost N={n}, r={r}, p={p}");
        if n < 2 || !n.is_power_of_two() || r == 0 || p == 0 {
            return Err(bad());
        }
        let memory = (n.checked_add(p))
            .and_then(|n| n.checked_mul(r)?.checked_mul(128))
            .ok_or_else(bad)?;
        let work = n
            .checked_mul(r)
            .and_then(|blocks| blocks.checked_mul(p))
            .ok_or_else(bad)?;
        if memory > MAX_MEMORY || work > MAX_WORK {
            return Err(format!(
                "its key derivation wants {} MiB of memory (N={n}, r={r}, p={p}), more than any program chooses",
                memory >> 20
            ));
        }
        let log_n = u8::try_from(n.trailing_zeros()).map_err(|_| bad())?;
        let parameters = scrypt::Params::new(log_n, self.r, self.p).map_err(|_| bad())?;
        let mut derived = Zeroizing::new([0; 64]);
        scrypt::scrypt(password, salt, &parameters, &mut *derived).map_err(|_| bad())?;
        Ok(MasterKey::from_derived(&derived))
    }
}

/// Why a key file does not open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The password is for another key, or wrong.
    #[error("the password is not for this key")]
    Password,
    /// The file is damaged, or of a kind that this program does not know.
    #[error("{0}")]
    Bad(String),
}

/// A key file as stored: plain JSON, in this order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyFile {
    /// When it was made.
    pub created: Time,
    /// By whom.
    #[serde(default)]
    pub username: String,
    /// Where.
    #[serde(default)]
    pub hostname: String,
    kdf: String,
    #[serde(rename = "N")]
    n: u64,
    r: u32,
    p: u32,
    #[serde(with = "base64")]
    salt: Vec<u8>,
    #[serde(with = "base64")]
    data: Vec<u8>,
}

impl KeyFile {
    /// Seals `master` under a password.
    pub fn seal(
        master: &MasterKey,
        password: &[u8],
        cost: ScryptParameters,
        created: Time,
        username: &str,
        hostname: &str,
    ) -> Result<KeyFile> {
        let mut salt = vec![0; SALT_SIZE];
        random_bytes(&mut salt)?;
        let key = cost.derive(password, &salt).map_err(Error::Internal)?;
        let secret = Secret::encode(master.bytes());
        let mut data = Vec::new();
        key.seal_append(&secret, &mut data)?;
        Ok(KeyFile {
            created,
            username: username.to_owned(),
            hostname: hostname.to_owned(),
            kdf: "scrypt".to_owned(),
            n: cost.n,
            r: cost.r,
            p: cost.p,
            salt,
            data,
        })
    }

    /// Opens with a password: takes the time and memory that the file asks for, within bounds.
    pub fn open(&self, password: &[u8]) -> Result<MasterKey, KeyError> {
        if self.kdf != "scrypt" {
            let kdf: String = self.kdf.chars().take(40).collect();
            return Err(KeyError::Bad(format!(
                "its key derivation {kdf:?} is not one this program knows (scrypt)"
            )));
        }
        if self.salt.len() != SALT_SIZE {
            return Err(KeyError::Bad(format!(
                "its salt has {} bytes and not {SALT_SIZE}",
                self.salt.len()
            )));
        }
        let cost = ScryptParameters {
            n: self.n,
            r: self.r,
            p: self.p,
        };
        let key = cost.derive(password, &self.salt).map_err(KeyError::Bad)?;
        let mut secret = Zeroizing::new(Vec::new());
        key.open_into(&self.data, &mut secret).map_err(|_| KeyError::Password)?;
        Secret::decode(&secret).map(MasterKey::new).map_err(KeyError::Bad)
    }

    /// Reads the bytes of a key file. The error says what is wrong with them.
    pub fn decode(bytes: &[u8]) -> Result<KeyFile, String> {
        serde_json::from_slice(bytes).map_err(|error| error.to_string())
    }

    /// The bytes of the key file.
    pub fn encode(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(self)
    }
}

/// What a key file's `data` holds once opened: the master key as JSON. Wiped when dropped.
#[derive(Deserialize, Zeroize, ZeroizeOnDrop)]
struct Secret {
    mac: SecretMac,
    encrypt: String,
}

#[derive(Deserialize, Zeroize, ZeroizeOnDrop)]
struct SecretMac {
    k: String,
    r: String,
}

impl Secret {
    fn encode(key: &KeyBytes) -> Zeroizing<Vec<u8>> {
        // Written by hand into one buffer of sufficient size: growing would leave copies of the key behind.
        let mut json = Zeroizing::new(String::with_capacity(256));
        json.push_str(r#"{"mac":{"k":""#);
        BASE64.encode_append(&key.k, &mut json);
        json.push_str(r#"","r":""#);
        BASE64.encode_append(&key.r, &mut json);
        json.push_str(r#""},"encrypt":""#);
        BASE64.encode_append(&key.encrypt, &mut json);
        json.push_str(r#""}"#);
        Zeroizing::new(std::mem::take(&mut *json).into_bytes())
    }

    fn decode(json: &[u8]) -> Result<KeyBytes, String> {
        // The parser's own message could quote the secret.
        let secret: Secret = serde_json::from_slice(json).map_err(|_| "it holds no master key".to_owned())?;
        let mut key = KeyBytes {
            encrypt: [0; 32],
            k: [0; 16],
            r: [0; 16],
        };
        let fields: [(&str, &mut [u8]); 3] = [
            (&secret.encrypt, &mut key.encrypt),
            (&secret.mac.k, &mut key.k),
            (&secret.mac.r, &mut key.r),
        ];
        for (text, bytes) in fields {
            let decoded = BASE64.decode(text.as_bytes()).map(Zeroizing::new);
            match decoded {
                Ok(decoded) if decoded.len() == bytes.len() => bytes.copy_from_slice(&decoded),
                _ => return Err("the master key in it has the wrong form".into()),
            }
        }
        Ok(key)
    }
}

/// Bytes as padded standard base64.
mod base64 {
    use data_encoding::BASE64;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        BASE64.decode(text.as_bytes()).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(password: &str) -> (MasterKey, KeyFile) {
        let master = MasterKey::random().unwrap();
        let time = Time::parse("2026-11-22T20:45:00Z").unwrap();
        let cost = ScryptParameters::FOR_TESTS;
        let file = KeyFile::seal(&master, password.as_bytes(), cost, time, "root", "host").unwrap();
        (master, file)
    }

    #[test]
    fn opens_with_its_password_only() {
        let (master, file) = sealed("secret");
        let file = KeyFile::decode(&file.encode().unwrap()).unwrap();
        let opened = file.open(b"secret").unwrap();
        assert_eq!(opened.bytes().encrypt, master.bytes().encrypt);
        assert_eq!(opened.bytes().k, master.bytes().k);
        assert_eq!(opened.bytes().r, master.bytes().r);
        assert_eq!(file.open(b"Secret").unwrap_err(), KeyError::Password);
    }

    #[test]
    fn fields_are_in_restics_order() {
        let (_, mut file) = sealed("secret");
        file.salt = vec![0; 3];
        file.data = vec![0xff; 2];
        insta::assert_snapshot!(
            String::from_utf8(file.encode().unwrap()).unwrap(),
            @r#"{"created":"2026-11-22T20:45:00Z","username":"root","hostname":"host","kdf":"scrypt","N":2,"r":1,"p":1,"salt":"AAAA","data":"//8="}"#
        );
    }

    #[test]
    fn the_secret_is_restics_json() {
        let key = KeyBytes {
            encrypt: [0; 32],
            k: [1; 16],
            r: [2; 16],
        };
        let json = Secret::encode(&key);
        insta::assert_snapshot!(
            std::str::from_utf8(&json).unwrap(),
            @r#"{"mac":{"k":"AQEBAQEBAQEBAQEBAQEBAQ==","r":"AgICAgICAgICAgICAgICAg=="},"encrypt":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}"#
        );
        assert_eq!(Secret::decode(&json).unwrap().r, [2; 16]);
        assert!(Secret::decode(br#"{"mac":{"k":"AQ==","r":"AQ=="},"encrypt":"AQ=="}"#).is_err());
        assert!(Secret::decode(b"[]").is_err());
    }

    #[test]
    fn hostile_costs_are_refused_before_they_cost_anything() {
        let (_, file) = sealed("secret");
        let with = |n, r, p| {
            let file = KeyFile {
                n,
                r,
                p,
                ..file.clone()
            };
            match file.open(b"secret") {
                Err(KeyError::Bad(why)) => why,
                other => panic!("N={n} r={r} p={p}: {other:?}"),
            }
        };
        for (n, r, p) in [
            (0, 8, 1),
            (1, 8, 1),
            (3, 8, 1),
            (1024, 0, 1),
            (1024, 8, 0),
            (1 << 63, u32::MAX, 1),
        ] {
            assert!(with(n, r, p).contains("impossible"), "N={n} r={r} p={p}");
        }
        assert!(with(1 << 30, 8, 1).contains("1048576 MiB"));
        assert!(with(1 << 20, 8, 1).contains("more than any program"));
        assert!(with(1 << 15, 8, u32::MAX).contains("more than any program"));
        assert!(with(2, 1, 1 << 25).contains("more than any program"));
    }

    #[test]
    fn calibration_uses_restics_memory() {
        let cost = ScryptParameters::calibrate().unwrap();
        assert_eq!((cost.n, cost.r), (1 << 15, 8));
        assert!((1..=16).contains(&cost.p));
    }

    #[test]
    fn other_derivations_and_salts_are_refused() {
        let (_, file) = sealed("secret");
        let other = KeyFile {
            kdf: "argon2".into(),
            ..file.clone()
        };
        assert!(matches!(other.open(b"secret"), Err(KeyError::Bad(why)) if why.contains("argon2")));
        let short = KeyFile {
            salt: vec![0; 32],
            ..file
        };
        assert!(matches!(short.open(b"secret"), Err(KeyError::Bad(why)) if why.contains("32 bytes")));
        assert!(KeyFile::decode(b"{}").is_err());
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_a_key_file_or_an_error(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
            proptest::prop_assert!(KeyFile::decode(&bytes).is_err());
            proptest::prop_assert!(Secret::decode(&bytes).is_err());
        }

        #[test]
        fn costs_never_take_more_than_they_may(n in 0u64.., r in 0u32.., p in 0u32..) {
            let cost = ScryptParameters { n, r, p };
            // Random numbers are hardly ever a cost that one would wait for.
            let sane = n.is_power_of_two() && u128::from(n) * u128::from(r) * u128::from(p) <= u128::from(MAX_WORK);
            if !sane {
                proptest::prop_assert!(cost.derive(b"", &[]).is_err());
            }
        }

        #[test]
        fn names_and_salts_come_back(username in ".*", hostname in ".*", salt: Vec<u8>, data: Vec<u8>) {
            let (_, file) = sealed("secret");
            let file = KeyFile { username, hostname, salt, data, ..file };
            proptest::prop_assert_eq!(KeyFile::decode(&file.encode().unwrap()).unwrap(), file);
        }
    }
}
