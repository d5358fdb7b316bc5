//! `coffer demo`: a vault to look around in.

use std::path::PathBuf;

use clap::ValueHint;
use serde_json::json;

use super::Failure;
use super::args::GlobalArgs;
use super::context::{Context, now};
use super::exit::Exit;
use super::output::{counted, escape};
use crate::engine::demo::{self, DAYS, Places};

/// The demo everybody gets.
const SEED: u64 = 2026;

/// Make a vault to look around in, and open the interface on it
///
/// It holds two years of an invented web server, in a folder of its own.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Only make it, in this folder, and print where things are
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    headless: Option<PathBuf>,
    /// Make it anew, even if there is one already
    #[arg(long)]
    fresh: bool,
}

const EXAMPLES: &str = "\
Examples:
  coffer demo
  coffer demo --headless /tmp/demo";

impl Args {
    /// Whether the interface opens on it.
    pub(super) fn opens_interface(&self) -> bool {
        self.headless.is_none()
    }

    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let settings = context.engine.settings();
        let folder = self.headless.clone().unwrap_or_else(|| settings.data.join("demo"));
        let folder = std::path::absolute(&folder)
            .map_err(|e| Failure::failed(format!("cannot find {}: {e}", folder.display())))?;
        let places = Places::new(&folder);
        if self.headless.is_none() {
            super::interface::possible()?;
        }
        let made = self.fresh || !places.complete();
        if made {
            if self.headless.is_none() {
                context.out.remark("Making a vault to look around in…")?;
                context.out.flush()?;
            }
            let newest = now(&settings.zone);
            demo::make(&folder, SEED, newest, settings, &context.cancel)?;
        }
        match self.headless {
            Some(_) => told(context, &places, made),
            None => {
                let mut demo = places.settings(settings)?;
                // The made-up vault, the user's own keys and colours.
                demo.config.interface.clone_from(&settings.config.interface);
                let global = GlobalArgs {
                    vault: Some("demo".into()),
                    ..context.global.clone()
                };
                super::interface::open(Context::with(demo, global, context.environment.clone())?)
            }
        }
    }
}

fn told(context: &Context, places: &Places, made: bool) -> Result<Exit, Failure> {
    let (folder, config) = (
        places.folder.display().to_string(),
        places.config().display().to_string(),
    );
    if context.out.json {
        context.out.value(&json!({
            "made": made, "folder": folder, "config": config, "vault": places.vault().to_string_lossy(),
            "password_file": places.password().to_string_lossy(), "generations": DAYS.len(),
        }))?;
        return Ok(Exit::Done);
    }
    let what = counted(DAYS.len() as u64, "generation", "generations");
    let verb = if made { "made" } else { "there already:" };
    let folder = escape(folder.as_bytes());
    context.out.line(format!("{verb} a vault with {what} in {folder}"))?;
    context.out.line("look around with:")?;
    context.out.line(format!(
        "  export COFFER_CONFIG={folder}/config.toml COFFER_DATA_DIR={folder}/data COFFER_CACHE_DIR={folder}/cache"
    ))?;
    context.out.line("  coffer generations --vault demo")?;
    context.out.line("  coffer")?;
    Ok(Exit::Done)
}
