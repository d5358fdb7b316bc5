//! `coffer init`: makes a vault.

use clap::ValueEnum;

/// Make a vault: an empty, encrypted place for backups
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The format's version; 1 knows no compression and is for old programs
    #[arg(long, value_name = "1|2", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=2))]
    repository_version: u32,
    /// Compression for backups into this vault, kept in the config when the vault has a name there
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

fn polynomial(text: &str) -> Result<u64, String> {
    u64::from_str_radix(text.trim_start_matches("0x"), 16).map_err(|_| format!("{text:?} is not a number in hex"))
}
