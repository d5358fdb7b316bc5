//! A vault to look around in: an invented web server's files, backed up over two years, weekly of late, all under one folder.
//!
//! [`make`] lets `story` write the files as they were on each of [`DAYS`], and runs a plan of the demo's own config after
//! each, through the engine with a clock that is set back: what is in the vault, the catalog and the history comes from the
//! same code as everything else. Files and times depend on the seed and the time given only; keys are random as ever.

mod story;
mod words;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use super::{Engine, Error, PasswordGiven, Result, Settings, Task};
use crate::config::Config;
use crate::progress::Cancel;
use crate::vault::Time;
use crate::vault::key::ScryptParameters;
use crate::vault::repository::CreateOptions;

/// How many days before the newest one each generation was made: some from long ago, so that a shorter retention has
/// something to take, then those of the last months, in which something happens each time.
pub const DAYS: [i64; LONG_AGO + 14] = [
    670, 600, 512, 421, 330, 268, 205, 150, // long ago
    118, 104, 97, 90, 76, 62, 48, 41, 34, 27, 20, 13, 6, 0,
];
/// How many of [`DAYS`] are long ago.
const LONG_AGO: usize = 8;

/// The password, kept in a file beside the vault: there is nothing to protect.
const PASSWORD: &str = "demo";

/// What its vault costs: so small a vault would cost next to nothing anywhere.
const PRICES: &str = r#"# Invented for the demo: a thousand times what such a store costs, so that a vault of some megabytes has a price to look at.
[prices.demo]
vendor = "Invented"
name = "store at a thousandfold price"
currency = "USD"
unit = "GB"
month = "730 hours"
storage = 23
minimum-days = 30
requests = { per = 1000, put = 5, get = 0.4, list = 5, delete = "free" }
retrieval = "free"
egress = 90
remarks = ["a thousand times a usual price, so that there is something to see"]
"#;

/// Where the parts of a demo are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// All of it.
    pub folder: PathBuf,
}

impl Places {
    /// Those below `folder`.
    pub fn new(folder: &Path) -> Places {
        Places {
            folder: folder.to_path_buf(),
        }
    }

    /// The config with the vault `demo` and the plan `web1`.
    pub fn config(&self) -> PathBuf {
        self.folder.join("config.toml")
    }
    /// The vault.
    pub fn vault(&self) -> PathBuf {
        self.folder.join("vault")
    }
    /// The password's file.
    pub fn password(&self) -> PathBuf {
        self.folder.join("password")
    }
    /// The invented server's files, as they are now.
    pub fn machine(&self) -> PathBuf {
        self.folder.join("web1")
    }
    /// The cache folder to use with it.
    pub fn cache(&self) -> PathBuf {
        self.folder.join("cache")
    }
    /// The data folder to use with it: catalog and history.
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Written last: a demo without it was not finished.
    fn mark(&self) -> PathBuf {
        self.folder.join("demo-is-complete")
    }

    /// Whether a finished demo is here.
    pub fn complete(&self) -> bool {
        self.mark().is_file()
    }

    /// These settings on the demo's own folders and config.
    pub fn settings(&self, like: &Settings) -> Result<Settings> {
        let config = Config::load(&self.config())?;
        Ok(Settings {
            config,
            config_path: self.config(),
            cache: self.cache(),
            data: self.data(),
            password: None,
            // Whose machine the demo plays.
            host: "web1".into(),
            // Of which nothing else is there.
            usual: &[],
            patience: crate::engine::PATIENCE,
            ..like.clone()
        })
    }
}

/// Makes a demo in `folder`, whose newest generation is made at `newest`. What an earlier demo left there goes first; a
/// folder that holds anything else is refused.
pub fn make(folder: &Path, seed: u64, newest: Time, like: &Settings, cancel: &Cancel) -> Result<Places> {
    let places = Places::new(folder);
    clear(&places)?;
    let local = |action, path: &Path| {
        let path = path.display().to_string();
        move |source: io::Error| Error::Local { action, path, source }
    };
    write_private(&places.password(), PASSWORD).map_err(local("write", &places.password()))?;
    let config = config_text(&places);
    write_private(&places.config(), &config).map_err(local("write", &places.config()))?;

    let prices = places.folder.join("prices.toml");
    write_private(&prices, PRICES).map_err(local("write", &prices))?;

    let clock = Arc::new(AtomicI64::new(newest.seconds));
    let told = Arc::clone(&clock);
    let zone = like.zone.clone();
    let mut settings = places.settings(like)?;
    settings.user = "root".into();
    settings.clock = Arc::new(move || at(told.load(Ordering::SeqCst), &zone));
    let engine = Engine::new(settings)?;
    let password = || PasswordGiven::File(places.password());
    let options = CreateOptions {
        version: 2,
        polynomial: None,
        username: "root".into(),
        hostname: "web1".into(),
        scrypt: Some(ScryptParameters { n: 1024, r: 8, p: 1 }),
    };
    engine.create("demo", password(), &options)?;

    let mut story = story::Story::new(places.machine(), seed);
    for (step, days) in DAYS.iter().enumerate() {
        cancel.check()?;
        let moment = newest.seconds - days * 86_400 + if *days == 0 { 0 } else { story.jitter(1800) };
        story.day(step, moment).map_err(local("write", &places.machine()))?;
        clock.store(moment, Ordering::SeqCst);
        engine
            .start(Task::Plan {
                plan: "web1".into(),
                vault: None,
                dry_run: false,
            })?
            .wait()?;
    }
    engine.shutdown(false);
    write_private(&places.mark(), "").map_err(local("write", &places.mark()))?;
    Ok(places)
}

/// Makes way in the folder. Only what a demo makes is removed.
fn clear(places: &Places) -> Result<()> {
    let ours = [
        "config.toml",
        "prices.toml",
        "vault",
        "password",
        "web1",
        "cache",
        "data",
        "demo-is-complete",
    ];
    let local = |action, path: &Path, source| Error::Local {
        action,
        path: path.display().to_string(),
        source,
    };
    fs::create_dir_all(&places.folder).map_err(|e| local("make", &places.folder, e))?;
    let list = fs::read_dir(&places.folder).map_err(|e| local("list", &places.folder, e))?;
    let found: Vec<_> = list
        .filter_map(|entry| entry.ok())
        .map(|entry| entry.file_name())
        .collect();
    let made_by_us = found.iter().all(|name| ours.iter().any(|our| name == our))
        && (found.is_empty() || fs::read(places.password()).is_ok_and(|text| text == PASSWORD.as_bytes()));
    if !made_by_us {
        let folder = places.folder.display();
        return Err(Error::Usage(format!(
            "{folder} holds other things than a demo; give an empty or a new folder"
        )));
    }
    for name in found {
        let path = places.folder.join(name);
        let gone = if path.is_dir() {
            fs::remove_dir_all(&path)
        } else {
            fs::remove_file(&path)
        };
        gone.map_err(|e| local("remove", &path, e))?;
    }
    Ok(())
}

fn config_text(places: &Places) -> String {
    let quoted = |path: &Path| toml::Value::String(path.display().to_string()).to_string();
    format!(
        "# Made by `coffer demo`. Everything it names lies in this folder.\n\n\
         [vaults.demo]\npath = {}\npassword-file = {}\nprice = \"demo\"\n\n\
         [plans.web1]\npaths = [{}]\nvault = \"demo\"\nexcludes = [\"*.tmp\", \"__pycache__\"]\ntags = [\"nightly\"]\nhost = \"web1\"\n",
        quoted(&places.vault()),
        quoted(&places.password()),
        quoted(&places.machine()),
    )
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())
}

fn at(seconds: i64, zone: &jiff::tz::TimeZone) -> Time {
    let offset = jiff::Timestamp::from_second(seconds)
        .map(|at| zone.to_offset(at).seconds())
        .unwrap_or(0);
    Time {
        seconds,
        nanos: 0,
        offset: offset - offset % 60,
    }
}
