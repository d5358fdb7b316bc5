//! `coffer init`: makes a vault.

use clap::ValueEnum;
use serde_json::json;

use super::context::Context;
use super::exit::Exit;
use super::{Failure, password};
use crate::engine::{Error, PasswordGiven};
use crate::vault::key::ScryptParameters;
use crate::vault::repository::{Compression, CreateOptions};

/// Make a vault: an empty, encrypted place for backups
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The format's version; 1 knows no compression and is for old programs
    #[arg(long, value_name = "1|2", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=2))]
    repository_version: u32,
    /// How backups into it are to be compressed (kept in the config only: see `coffer vault add`)
    #[arg(long, value_enum, value_name = "auto|off|max")]
    compression: Option<CompressionArg>,
    /// Use the same chunk boundaries as this other vault, so that both hold equal chunks (its polynomial in hex)
    #[arg(long, value_name = "HEX", value_parser = polynomial)]
    chunker_polynomial: Option<u64>,
    /// For tests: the cost N of the key derivation, a power of two; so cheap that it protects nothing
    #[arg(long, value_name = "N", hide = true)]
    scrypt_n: Option<u64>,
}

const EXAMPLES: &str = "\
Examples:
  coffer init --vault /srv/backup
  coffer init --vault /srv/backup --password-file ~/.backup-password";

/// How new data is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CompressionArg {
    /// Where it pays
    Auto,
    /// Not at all
    Off,
    /// As small as possible, slowly
    Max,
}

impl From<CompressionArg> for Compression {
    fn from(given: CompressionArg) -> Compression {
        match given {
            CompressionArg::Auto => Compression::Auto,
            CompressionArg::Off => Compression::Off,
            CompressionArg::Max => Compression::Max,
        }
    }
}

fn polynomial(text: &str) -> Result<u64, String> {
    u64::from_str_radix(text.trim_start_matches("0x"), 16).map_err(|_| format!("{text:?} is not a number in hex"))
}

impl Args {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        context.writes()?;
        let vault = context.vault()?;
        let settings = context.engine.settings();
        let options = CreateOptions {
            version: self.repository_version,
            polynomial: self.chunker_polynomial,
            username: settings.user.clone(),
            hostname: settings.host.clone(),
            scrypt: self.scrypt_n.map(|n| ScryptParameters { n, r: 8, p: 1 }),
        };
        let given = password::given(&context.global);
        let open = match context.engine.create(&vault, given, &options) {
            Err(Error::PasswordNeeded { .. }) => {
                let password = password::ask_new(
                    &vault,
                    "give --password-file or --password-command, or set COFFER_PASSWORD",
                )?;
                context
                    .engine
                    .create(&vault, PasswordGiven::Bytes(password), &options)?
            }
            other => other?,
        };
        let made = open.vault();
        if context.out.json {
            let (id, place, version) = (made.id(), made.place(), made.version());
            context
                .out
                .value(&json!({ "type": "initialized", "id": id, "vault": place, "version": version }))?;
            return Ok(Exit::Done);
        }
        context.out.remark(format!(
            "made vault {} at {}",
            &made.id().get(..8).unwrap_or_default(),
            made.place()
        ))?;
        context.out.remark(
            "Whoever loses the password loses the data: there is no way around it. Keep it somewhere else too.",
        )?;
        if self.compression.is_some() {
            context.out.remark(
                "A vault does not remember how it is to be compressed: give --compression with each backup, or keep it in the \
                 config: coffer vault add NAME FOLDER --compression …",
            )?;
        }
        Ok(Exit::Done)
    }
}
