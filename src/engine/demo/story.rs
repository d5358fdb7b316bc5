//! What happened on the invented server: a shop that grows, a blog, two people and their slips.

use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, utimensat};

use super::LONG_AGO;
use super::words::{Dice, WORDS};

/// Writes the server's files as they were day by day.
pub(super) struct Story {
    root: PathBuf,
    dice: Dice,
    before: i64,
    orders: u64,
    rows: Vec<String>,
    pictures: u64,
}

impl Story {
    pub(super) fn new(root: PathBuf, seed: u64) -> Story {
        Story {
            root,
            dice: Dice::new(seed),
            before: 0,
            orders: 0,
            rows: Vec::new(),
            pictures: 0,
        }
    }

    /// Some seconds, at most `most`.
    pub(super) fn jitter(&mut self, most: u64) -> i64 {
        self.dice.below(most) as i64
    }

    /// Takes the files from the day before (or nothing) to this one. `now` in seconds since 1970.
    pub(super) fn day(&mut self, step: usize, now: i64) -> io::Result<()> {
        if step == 0 {
            self.before = now - 14 * 86_400;
            self.settle(now)?;
        }
        self.sell(step, now)?;
        self.write_blog(step, now)?;
        self.rotate_logs(now)?;
        self.tinker(step, now)?;
        self.before = now;
        date_folders(&self.root).map(drop)
    }

    /// The server as it was set up.
    fn settle(&mut self, now: i64) -> io::Result<()> {
        let old = now - 200 * 86_400;
        for (path, text) in ETC {
            self.put(path, text.as_bytes(), old)?;
        }
        self.link("etc/nginx/sites-enabled/shop.conf", "../sites-available/shop.conf", old)?;
        self.link("etc/nginx/sites-enabled/blog.conf", "../sites-available/blog.conf", old)?;
        self.mode("etc/ssh/sshd_config", 0o600)?;
        for noun in WORDS.iter().take(40) {
            let functions = 2 + self.dice.below(12);
            let code = self.dice.code(functions);
            self.put(&format!("srv/shop/app/{noun}.py"), code.as_bytes(), old)?;
        }
        for noun in WORDS.iter().skip(20).take(24) {
            let text = self.dice.paragraphs(2);
            self.put(
                &format!("srv/shop/templates/{noun}.html"),
                format!("<main>\n{text}</main>\n").as_bytes(),
                old,
            )?;
        }
        for size in ["small", "large"] {
            let css = "body { margin: 0; font: 16px/1.5 serif }\n".repeat(if size == "small" { 20 } else { 200 });
            self.put(&format!("srv/shop/static/css/{size}.css"), css.as_bytes(), old)?;
        }
        let script = self.dice.code(60);
        self.put("srv/shop/static/js/bundle.js", script.as_bytes(), old)?;
        self.put(
            "srv/shop/requirements.txt",
            b"flask==3.0.3\npsycopg==3.2.1\nredis==5.0.7\n",
            old,
        )?;
        self.put(
            "srv/shop/secrets.env",
            b"DATABASE_URL=postgresql:///shop\nMAIL_FROM=orders@shop.example\n",
            old,
        )?;
        self.mode("srv/shop/secrets.env", 0o640)?;
        for release in ["1.4.0", "1.5.0"] {
            let code = self.dice.code(150);
            self.put(
                &format!("srv/shop/releases/shop-{release}/shop.pyz"),
                code.as_bytes(),
                old,
            )?;
        }
        self.link("srv/shop/current", "releases/shop-1.5.0", old)?;
        for person in ["anna", "ben"] {
            self.put(
                &format!("home/{person}/.bashrc"),
                b"alias ll='ls -l'\nexport EDITOR=vim\n",
                old,
            )?;
            self.put(
                &format!("home/{person}/.ssh/authorized_keys"),
                b"ssh-ed25519 AAAAC3Nz\n",
                old,
            )?;
            self.mode(&format!("home/{person}/.ssh"), 0o700)?;
            for noun in WORDS.iter().skip(if person == "anna" { 0 } else { 30 }).take(12) {
                let text = self.dice.paragraphs(3);
                self.put(&format!("home/{person}/notes/{noun}.md"), text.as_bytes(), old)?;
            }
        }
        self.put(
            "home/anna/notes/Übersicht.md",
            "# Übersicht\n\nWas wo liegt.\n".as_bytes(),
            old,
        )?;
        let scan = self.dice.picture(1_800_000);
        self.put("home/anna/papers/contract-2024.pdf", &scan, old)?;
        // The names of downloads are not to be trusted: this one reads backwards where nobody escapes it.
        let program = self.dice.picture(90_000);
        self.put("home/ben/downloads/invoice\u{202e}fdp.exe", &program, old)?;
        for day in 0..12 {
            let picture = self.dice.picture(140_000);
            self.put(
                &format!("srv/shop/static/images/winter/window-{day:02}.jpg"),
                &picture,
                old + day * 86_400,
            )?;
        }
        for _ in 0..40 {
            self.add_picture(old)?;
        }
        Ok(())
    }

    /// Orders come in, the database's dump grows, products get pictures.
    fn sell(&mut self, step: usize, now: i64) -> io::Result<()> {
        let orders = if step == 0 {
            6_000
        } else if step <= LONG_AGO {
            1_000
        } else {
            1_000 + self.dice.below(1_400)
        };
        for _ in 0..orders {
            self.orders += 1;
            let (product, place) = (self.dice.pick(&WORDS), self.dice.pick(&WORDS));
            let row = format!(
                "{}\t{product}\t{}\t{}.99\t{place} street {}\t{:016x}\n",
                self.orders,
                1 + self.dice.below(5),
                5 + self.dice.below(90),
                1 + self.dice.below(120),
                self.dice.next(),
            );
            self.rows.push(row);
        }
        let mut dump = String::from("--\n-- PostgreSQL database dump\n--\n\nCOPY public.orders FROM stdin;\n");
        self.rows.iter().for_each(|row| dump.push_str(row));
        dump.push_str("\\.\n");
        self.put("var/backups/shop.sql", dump.as_bytes(), now - 1_200)?;
        for _ in 0..3 + self.dice.below(4) {
            let time = now - self.jitter(86_400);
            self.add_picture(time)?;
        }
        Ok(())
    }

    fn add_picture(&mut self, time: i64) -> io::Result<()> {
        self.pictures += 1;
        let (product, number) = (self.dice.pick(&WORDS), self.pictures);
        let size = 20_000 + self.dice.below(110_000) as usize;
        let picture = self.dice.picture(size);
        self.put(
            &format!("srv/shop/static/images/products/{product}-{number:03}.jpg"),
            &picture,
            time,
        )
    }

    fn write_blog(&mut self, step: usize, now: i64) -> io::Result<()> {
        let (adjective, noun) = (self.dice.pick(&WORDS), self.dice.pick(&WORDS));
        let text = self.dice.paragraphs(6);
        let post = format!("# The {adjective} {noun}\n\n{text}");
        self.put(
            &format!("srv/blog/posts/{:02}-{adjective}-{noun}.md", step + 1),
            post.as_bytes(),
            now - 40_000,
        )?;
        let index = format!("{} posts, the newest about the {adjective} {noun}.\n", step + 1);
        self.put("srv/blog/index.md", index.as_bytes(), now - 39_000)
    }

    /// `access.log` becomes `access.log.1` and so on; the fourth goes.
    fn rotate_logs(&mut self, now: i64) -> io::Result<()> {
        let folder = self.root.join("var/log/nginx");
        for number in (0..3).rev() {
            let name = |n: i32| {
                if n == 0 {
                    "access.log".to_owned()
                } else {
                    format!("access.log.{n}")
                }
            };
            let from = folder.join(name(number));
            if from.exists() {
                fs::rename(from, folder.join(name(number + 1)))?;
            }
        }
        let lines = 4_000 + self.dice.below(3_000);
        let log = self.dice.access_log(lines, self.before, now);
        self.put("var/log/nginx/access.log", log.as_bytes(), now - 5)?;
        let mut errors = fs::read_to_string(folder.join("error.log")).unwrap_or_default();
        errors.push_str(&format!(
            "upstream timed out while reading {}\n",
            self.dice.pick(&WORDS)
        ));
        self.put("var/log/nginx/error.log", errors.as_bytes(), now - 600)
    }

    /// What people did by hand.
    fn tinker(&mut self, step: usize, now: i64) -> io::Result<()> {
        for _ in 0..2 + self.dice.below(3) {
            let noun = self.dice.pick(&WORDS[..40]);
            let functions = 3 + self.dice.below(10);
            let code = self.dice.code(functions);
            self.put(&format!("srv/shop/app/{noun}.py"), code.as_bytes(), now - 20_000)?;
        }
        let at = now - 7_200;
        let Some(lately) = step.checked_sub(LONG_AGO) else {
            return self.tinker_long_ago(step, at);
        };
        match lately {
            2 => self.edit(
                "etc/nginx/nginx.conf",
                "worker_connections 768",
                "worker_connections 2048",
                at,
            )?,
            3 => {
                let text = self.dice.paragraphs(30);
                self.put("home/anna/papers/business-plan.md", text.as_bytes(), at)?;
            }
            4 => fs::rename(self.root.join("home/ben/notes"), self.root.join("home/ben/ideas"))?,
            5 => {
                let code = self.dice.code(160);
                self.put("srv/shop/releases/shop-1.6.0/shop.pyz", code.as_bytes(), at)?;
                fs::remove_file(self.root.join("srv/shop/current"))?;
                self.link("srv/shop/current", "releases/shop-1.6.0", at)?;
                fs::remove_dir_all(self.root.join("srv/shop/releases/shop-1.4.0"))?;
            }
            6 => self.mode("srv/shop/secrets.env", 0o600)?,
            // The slips: a folder that somebody will want back, and a paper emptied by an editor.
            8 => fs::remove_dir_all(self.root.join("srv/shop/static/images/winter"))?,
            9 => self.put("home/anna/papers/business-plan.md", b"", at)?,
            10 => {
                let video = self.dice.picture(6_000_000);
                self.put("home/ben/downloads/talk.mp4", &video, at)?;
            }
            11 => self.edit(
                "etc/ssh/sshd_config",
                "PasswordAuthentication yes",
                "PasswordAuthentication no",
                at,
            )?,
            12 => fs::remove_file(self.root.join("home/ben/downloads/talk.mp4"))?,
            _ => {}
        }
        Ok(())
    }

    /// What came and went long ago: only old generations hold it.
    fn tinker_long_ago(&mut self, step: usize, at: i64) -> io::Result<()> {
        let footage = |year: usize| format!("home/anna/films/open-day-{year}.mp4");
        match step {
            1 => {
                let film = self.dice.picture(5_000_000);
                self.put(&footage(1), &film, at)?;
            }
            2 => {
                let text = self.dice.paragraphs(200);
                self.put("home/anna/papers/thesis.md", text.as_bytes(), at)?;
            }
            3 => {
                let film = self.dice.picture(3_000_000);
                self.put(&footage(2), &film, at)?;
                fs::remove_file(self.root.join(footage(1)))?;
            }
            4 => fs::remove_file(self.root.join("home/anna/papers/thesis.md"))?,
            6 => fs::remove_file(self.root.join(footage(2)))?,
            _ => {}
        }
        Ok(())
    }

    fn put(&self, path: &str, content: &[u8], time: i64) -> io::Result<()> {
        let path = self.root.join(path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&path, content)?;
        stamp(&path, time)
    }

    fn edit(&self, path: &str, from: &str, to: &str, time: i64) -> io::Result<()> {
        let text = fs::read_to_string(self.root.join(path))?;
        self.put(path, text.replace(from, to).as_bytes(), time)
    }

    fn link(&self, path: &str, target: &str, time: i64) -> io::Result<()> {
        let path = self.root.join(path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        symlink(target, &path)?;
        let time = Timespec {
            tv_sec: time,
            tv_nsec: 0,
        };
        let times = Timestamps {
            last_access: time,
            last_modification: time,
        };
        Ok(utimensat(CWD, &path, &times, AtFlags::SYMLINK_NOFOLLOW)?)
    }

    fn mode(&self, path: &str, mode: u32) -> io::Result<()> {
        fs::set_permissions(self.root.join(path), fs::Permissions::from_mode(mode))
    }
}

/// Dates every folder like the newest thing in it; gives the date of this one.
fn date_folders(folder: &Path) -> io::Result<SystemTime> {
    let mut newest = SystemTime::UNIX_EPOCH;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let meta = entry.metadata()?;
        newest = newest.max(if meta.is_dir() {
            date_folders(&entry.path())?
        } else {
            meta.modified()?
        });
    }
    fs::File::open(folder)?.set_modified(newest)?;
    Ok(newest)
}

fn stamp(path: &Path, time: i64) -> io::Result<()> {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(time.max(0) as u64);
    fs::File::options().write(true).open(path)?.set_modified(time)
}

const ETC: [(&str, &str); 12] = [
    ("etc/hostname", "web1\n"),
    ("etc/hosts", "127.0.0.1 localhost\n192.0.2.10 web1.shop.example web1\n"),
    (
        "etc/fstab",
        "UUID=6f0c-11 / ext4 errors=remount-ro 0 1\nUUID=9a41-02 /srv ext4 defaults 0 2\n",
    ),
    (
        "etc/passwd",
        "root:x:0:0:root:/root:/bin/bash\nanna:x:1000:1000::/home/anna:/bin/bash\nben:x:1001:1001::/home/ben:/bin/bash\n",
    ),
    (
        "etc/ssh/sshd_config",
        "Port 22\nPermitRootLogin no\nPasswordAuthentication yes\nX11Forwarding no\n",
    ),
    (
        "etc/nginx/nginx.conf",
        "user www-data;\nworker_processes auto;\nevents { worker_connections 768; }\nhttp { include sites-enabled/*; }\n",
    ),
    (
        "etc/nginx/sites-available/shop.conf",
        "server {\n  server_name shop.example;\n  location / { proxy_pass http://127.0.0.1:8000; }\n  location /static { root /srv/shop; }\n}\n",
    ),
    (
        "etc/nginx/sites-available/blog.conf",
        "server {\n  server_name blog.shop.example;\n  root /srv/blog/public;\n}\n",
    ),
    (
        "etc/postgresql/15/main/postgresql.conf",
        "max_connections = 100\nshared_buffers = 512MB\nwal_level = replica\n",
    ),
    (
        "etc/postgresql/15/main/pg_hba.conf",
        "local all postgres peer\nlocal all all peer\nhost all all 127.0.0.1/32 scram-sha-256\n",
    ),
    (
        "etc/systemd/system/shop.service",
        "[Unit]\nDescription=The shop\n\n[Service]\nExecStart=/srv/shop/current/shop.pyz\nUser=www-data\n\n[Install]\nWantedBy=multi-user.target\n",
    ),
    (
        "etc/cron.d/dump",
        "30 2 * * * postgres pg_dump shop > /var/backups/shop.sql\n",
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// Everything there is: its content's hash or its target, and when it changed.
    fn told(seed: u64, days: usize) -> BTreeMap<PathBuf, (String, SystemTime)> {
        let folder = tempfile::tempdir().unwrap();
        let mut story = Story::new(folder.path().to_path_buf(), seed);
        for step in 0..days {
            story.day(step, 1_780_000_000 + 604_800 * step as i64).unwrap();
        }
        let mut found = BTreeMap::new();
        let mut folders = vec![folder.path().to_path_buf()];
        while let Some(folder_now) = folders.pop() {
            for entry in fs::read_dir(folder_now).unwrap() {
                let path = entry.unwrap().path();
                let meta = fs::symlink_metadata(&path).unwrap();
                let what = if meta.is_symlink() {
                    fs::read_link(&path).unwrap().display().to_string()
                } else if meta.is_dir() {
                    folders.push(path.clone());
                    String::new()
                } else {
                    crate::vault::Id::of(&fs::read(&path).unwrap()).short()
                };
                let name = path.strip_prefix(folder.path()).unwrap().to_path_buf();
                found.insert(name, (what, meta.modified().unwrap()));
            }
        }
        found
    }

    #[test]
    fn the_same_seed_tells_the_same_story() {
        assert_eq!(told(1, LONG_AGO + 14), told(1, LONG_AGO + 14));
        assert_ne!(told(1, 1), told(2, 1));
    }

    #[test]
    fn things_come_change_and_go() {
        let (early, late) = (told(1, LONG_AGO + 4), told(1, LONG_AGO + 14));
        let winter = Path::new("srv/shop/static/images/winter/window-00.jpg");
        assert!(early.contains_key(winter) && !late.contains_key(winter));
        let plan = Path::new("home/anna/papers/business-plan.md");
        assert!(early.contains_key(plan) && late.contains_key(plan) && early[plan].0 != late[plan].0);
        assert!(late.len() > early.len());
        let film = Path::new("home/anna/films/open-day-1.mp4");
        assert!(told(1, 2).contains_key(film) && !early.contains_key(film));
    }
}
