//! A flipped bit in any file of a vault is found by `check --read-data`, named, and never restored.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use crate::edge::noise;
use crate::support::{Bench, both, files};

fn flip(file: &Path, position: usize) -> Vec<u8> {
    let before = fs::read(file).unwrap();
    let mut after = before.clone();
    after[position] ^= 0x10;
    let mut permissions = fs::metadata(file).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o600);
    fs::set_permissions(file, permissions).unwrap();
    fs::write(file, after).unwrap();
    before
}

#[test]
#[ignore = "takes a minute of many runs (tests/run)"]
fn flipped_bits_are_found_and_refused() {
    let mut bench = Bench::new();
    bench.zone = "UTC";
    let source = bench.path("source");
    fs::create_dir(&source).unwrap();
    fs::write(source.join("first"), noise(1, 300_000)).unwrap();
    fs::write(source.join("second"), "compresses well ".repeat(10_000)).unwrap();
    let vault = bench.coffer_vault("vault", &[]);
    bench.coffer_backup(&vault, &source, &[]);
    let vault_words: [&OsStr; 2] = ["--vault".as_ref(), vault.as_ref()];

    let mut tried = 0;
    for file in files(&vault) {
        let size = fs::metadata(&file).unwrap().len() as usize;
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let kind = file
            .strip_prefix(&vault)
            .unwrap()
            .iter()
            .next()
            .unwrap()
            .to_string_lossy()
            .into_owned();
        for position in [0, size / 3, size / 2, size - 40, size - 1] {
            let before = flip(&file, position);
            // The local caches hold sound copies: a check must look at the vault itself.
            let check = bench.coffer_any(&[&["check".as_ref(), "--read-data".as_ref()][..], &vault_words].concat());
            let said = both(&check);
            assert!(
                !check.status.success(),
                "{kind} {name}, byte {position} of {size}: not found\n{said}"
            );
            assert!(!said.contains("panicked"), "{said}");
            if kind != "keys" {
                assert!(
                    said.contains(&name[..8.min(name.len())]),
                    "{kind} {name}, byte {position}: not named\n{said}"
                );
            }

            let _ = fs::remove_dir_all(bench.path("coffer-cache"));
            let target = bench.path(&format!("target {tried}"));
            let restore = bench.coffer_any(
                &[
                    &[
                        "restore".as_ref(),
                        "latest".as_ref(),
                        "--target".as_ref(),
                        target.as_os_str(),
                    ][..],
                    &vault_words,
                ]
                .concat(),
            );
            assert!(!both(&restore).contains("panicked"), "{}", both(&restore));
            // A flip in a header or in the other blob need not touch what a restore reads: but nothing wrong comes out.
            let restored = target.join(source.strip_prefix("/").unwrap());
            for (file, content) in [
                ("first", noise(1, 300_000)),
                ("second", "compresses well ".repeat(10_000).into_bytes()),
            ] {
                match fs::read(restored.join(file)) {
                    Ok(bytes) => assert!(
                        bytes == content,
                        "a wrong {file} was restored: {kind} {name}, byte {position}"
                    ),
                    Err(_) => assert!(
                        !restore.status.success(),
                        "{file} is missing and nothing was said: {}",
                        both(&restore)
                    ),
                }
            }
            let _ = fs::remove_dir_all(&target);
            fs::write(&file, before).unwrap();
            tried += 1;
        }
    }
    assert!(tried >= 30, "{tried}");
    bench.coffer_check(&vault);
}
