//! Vaults made for measuring, and where the program finds them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use coffer::config::{Config, PasswordSource, VaultConfig};
use coffer::engine::{Engine, OpenVault, PasswordGiven, Settings};
use coffer::progress::Cancel;
use coffer::vault::compress::Scratch;
use coffer::vault::key::ScryptParameters;
use coffer::vault::repository::CreateOptions;
use coffer::vault::tree::mode;
use coffer::vault::writer::{BlobWriter, WriterOptions};
use coffer::vault::{BlobKind, Generation, Id, Node, NodeType, Time, Tree};

/// 2026-11-22 03:00 UTC.
pub const NOW: i64 = 1_795_316_400;

/// What the program finds in its environment.
pub fn environment(home: &Path) -> Vec<(&'static str, PathBuf)> {
    vec![
        ("HOME", home.to_path_buf()),
        ("LANG", "C.UTF-8".into()),
        ("TERM", "xterm-256color".into()),
        ("TZ", "UTC".into()),
        ("COFFER_CONFIG", home.join("config.toml")),
        ("COFFER_DATA_DIR", home.join("data")),
        ("COFFER_CACHE_DIR", home.join("cache")),
    ]
}

/// A home folder with a config that names these vaults, and an engine on it.
pub fn home(home: &Path, names: &[String]) -> Engine {
    let password = home.join("password");
    std::fs::write(&password, "a password for measuring\n").unwrap();
    let mut text = String::new();
    let mut config = Config::default();
    for name in names {
        let path = home.join("vaults").join(name);
        text.push_str(&format!(
            "[vaults.{name}]\npath = {:?}\npassword-file = {:?}\n\n",
            path.display().to_string(),
            password.display().to_string()
        ));
        config.vaults.push(VaultConfig {
            name: name.clone(),
            path,
            password: Some(PasswordSource::File(password.clone())),
            compression: None,
            pack_size: None,
            price: None,
        });
    }
    std::fs::write(home.join("config.toml"), text).unwrap();
    Engine::new(Settings {
        config,
        config_path: home.join("config.toml"),
        cache: home.join("cache"),
        data: home.join("data"),
        host: "web1".into(),
        user: "root".into(),
        uid: 0,
        gid: 0,
        zone: jiff::tz::TimeZone::UTC,
        clock: Arc::new(|| at(NOW)),
        password: None,
        no_lock: false,
        clouds: Default::default(),
        usual: coffer::engine::overview::USUAL,
        patience: coffer::engine::PATIENCE,
    })
    .unwrap()
}

/// A new vault of this name, open. Its key costs as little as can be: what is measured never waits for it.
pub fn vault(engine: &Engine, name: &str) -> Arc<OpenVault> {
    let options = CreateOptions {
        scrypt: Some(ScryptParameters::FOR_TESTS),
        version: 2,
        polynomial: None,
        username: "root".into(),
        hostname: "web1".into(),
    };
    engine.create(name, PasswordGiven::Configured, &options).unwrap()
}

/// An instant, in seconds since 1970.
pub fn at(seconds: i64) -> Time {
    Time {
        seconds,
        nanos: 0,
        offset: 0,
    }
}

/// Stores trees in a vault.
pub struct Trees {
    writer: BlobWriter,
    scratch: Scratch,
}

impl Trees {
    /// For an open vault.
    pub fn new(open: &OpenVault) -> Trees {
        let indexed = open.vault().indexed(&Cancel::default()).unwrap();
        let options = WriterOptions {
            compression: Default::default(),
            pack_size: 16 << 20,
            dry_run: false,
            ..WriterOptions::default()
        };
        Trees {
            writer: BlobWriter::new(&indexed, options).unwrap(),
            scratch: Scratch::default(),
        }
    }

    /// Stores a folder whose entries are sorted by name.
    pub fn folder(&mut self, nodes: Vec<Node>) -> Id {
        let bytes = Tree { nodes }.encode();
        self.writer.add(BlobKind::Tree, &bytes, &mut self.scratch).unwrap().id
    }

    /// All is stored.
    pub fn finish(self) {
        self.writer.finish().unwrap();
    }
}

/// Makes a generation of a tree.
pub fn generation(open: &OpenVault, tree: Id, seconds: i64) {
    let generation: Generation = serde_json::from_value(serde_json::json!({
        "time": at(seconds), "tree": tree, "paths": ["/data"], "hostname": "web1",
    }))
    .unwrap();
    open.vault().save_generation(&generation).unwrap();
}

/// An entry that is a file.
pub fn file(name: String, size: u64) -> Node {
    Node {
        name: name.into_bytes(),
        mode: 0o644,
        size,
        mtime: at(NOW - size as i64),
        content: Some(vec![]),
        ..Node::default()
    }
}

/// An entry that is a folder.
pub fn folder(name: String, subtree: Id) -> Node {
    Node {
        name: name.into_bytes(),
        kind: NodeType::Dir,
        mode: mode::DIR | 0o755,
        subtree: Some(subtree),
        ..Node::default()
    }
}
