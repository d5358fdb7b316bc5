use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::vault::testing::{PASSWORD, Tampered, storage, test_options, test_vault};

fn open(folder: &tempfile::TempDir, password: &str) -> Result<Vault> {
    Vault::open(storage(folder), &Password::new(password), None)
}

#[test]
fn what_is_made_opens_again() {
    for version in [1, 2] {
        let folder = tempfile::tempdir().unwrap();
        let password = Password::new(PASSWORD);
        let options = CreateOptions {
            polynomial: None,
            ..test_options(version)
        };
        let made = Vault::create(storage(&folder), &password, &options).unwrap();
        let opened = open(&folder, PASSWORD).unwrap();
        assert_eq!((opened.id(), opened.version()), (made.id(), version));
        assert_eq!(opened.polynomial(), made.polynomial());
        assert_eq!(opened.key_id(), made.key_id());
        assert_eq!(opened.place(), folder.path().display().to_string());
        assert!(chunker::is_irreducible(opened.polynomial()));
        assert!(matches!(
            Vault::create(storage(&folder), &password, &options),
            Err(Error::Exists { .. })
        ));
    }
}

#[test]
fn of_two_made_at_once_in_one_place_one_stays() {
    let folder = tempfile::tempdir().unwrap();
    let password = Password::new(PASSWORD);
    let mut late = Tampered::new(storage(&folder));
    let other = storage(&folder);
    late.on_write = Box::new(move |kind, _| {
        if kind == FileKind::Config {
            // As if it had looked before our key was there.
            let hidden = other.root().join("hidden");
            fs::rename(other.root().join("keys"), &hidden).unwrap();
            Vault::create(other.clone(), &Password::new(PASSWORD), &test_options(2)).unwrap();
            for key in fs::read_dir(&hidden).unwrap() {
                let key = key.unwrap();
                fs::rename(key.path(), other.root().join("keys").join(key.file_name())).unwrap();
            }
        }
        Ok(())
    });
    let refused = Vault::create(Arc::new(late), &password, &test_options(2));
    assert!(matches!(refused, Err(Error::Exists { .. })));
    let vault = open(&folder, PASSWORD).unwrap();
    assert_eq!(vault.list_files(FileKind::Key).unwrap(), [vault.key_id()]);
}

#[test]
fn versions_and_polynomials_are_checked_before_anything_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let reducible = CreateOptions {
        polynomial: Some(0x25_b468_838d_cb74),
        ..test_options(2)
    };
    for options in [test_options(0), test_options(3), reducible] {
        let made = Vault::create(storage(&folder), &Password::new(PASSWORD), &options);
        assert!(matches!(made, Err(Error::Unsupported { .. })));
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn no_vault_wrong_password_and_no_keys_are_told_apart() {
    let (folder, vault) = test_vault();
    assert!(matches!(
        open(&folder, "wrong"),
        Err(Error::WrongPassword { keys: 1, .. })
    ));
    let empty = tempfile::tempdir().unwrap();
    assert!(matches!(open(&empty, PASSWORD), Err(Error::NoVault { .. })));
    vault.remove_file(FileKind::Key, &vault.key_id()).unwrap();
    let error = open(&folder, PASSWORD).unwrap_err().to_string();
    assert!(error.contains("no key file"), "{error}");
}

#[test]
fn a_damaged_key_shuts_nobody_else_out() {
    let (folder, vault) = test_vault();
    // So many that one comes before it, whatever the order of the listing.
    for n in 0..16 {
        let bad = Id([n; 32]);
        vault.storage().write(FileKind::Key, &bad, &[b"rotten"]).unwrap();
    }
    assert_eq!(open(&folder, PASSWORD).unwrap().key_id(), vault.key_id());
    let error = open(&folder, "wrong").unwrap_err();
    assert!(matches!(error, Error::WrongPassword { keys: 1, .. }), "{error}");
    let text = error.to_string();
    assert!(
        text.contains("; one more cannot be tried: ") && text.contains("damaged"),
        "{text}"
    );
    vault.remove_file(FileKind::Key, &vault.key_id()).unwrap();
    let error = open(&folder, PASSWORD).unwrap_err();
    assert!(matches!(error, Error::Damaged { .. }), "{error}");
}

#[test]
fn a_second_vault_is_not_made_over_what_is_left_of_a_first() {
    let (folder, _) = test_vault();
    fs::remove_file(folder.path().join("config")).unwrap();
    let made = Vault::create(storage(&folder), &Password::new(PASSWORD), &test_options(2));
    assert!(matches!(made, Err(Error::Unsupported { .. })));
}

#[test]
fn the_key_that_fits_is_found_among_others() {
    let (folder, vault) = test_vault();
    for password in ["a", "b", "c"] {
        let key = KeyFile::seal(
            vault.key(),
            password.as_bytes(),
            ScryptParameters::FOR_TESTS,
            now(),
            "u",
            "h",
        );
        let bytes = key.unwrap().encode().unwrap();
        vault
            .storage()
            .write(FileKind::Key, &Id::of(&bytes), &[&bytes])
            .unwrap();
    }
    for password in ["a", "b", "c", PASSWORD] {
        assert_eq!(open(&folder, password).unwrap().id(), vault.id());
    }
    assert!(matches!(open(&folder, "d"), Err(Error::WrongPassword { keys: 4, .. })));
}

#[test]
fn damaged_keys_and_configs_are_named() {
    let (folder, vault) = test_vault();
    for path in [
        folder.path().join("config"),
        folder.path().join("keys").join(vault.key_id().to_string()),
    ] {
        let whole = fs::read(&path).unwrap();
        let mut flipped = whole.clone();
        flipped[20] ^= 4;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        for damaged in [&flipped[..], &whole[..10], b""] {
            fs::write(&path, damaged).unwrap();
            let error = open(&folder, PASSWORD).unwrap_err();
            assert!(
                matches!(&error, Error::Damaged { file, .. } if *file == path.display().to_string()),
                "{error}"
            );
        }
        fs::write(&path, whole).unwrap();
    }
    open(&folder, PASSWORD).unwrap();
}

#[test]
fn cache_folders_are_private_tagged_and_apart() {
    let (folder, _) = test_vault();
    let cache = tempfile::tempdir().unwrap();
    let vault = Vault::open(storage(&folder), &Password::new(PASSWORD), Some(cache.path().join("c"))).unwrap();
    let own = vault.cache_folder().unwrap();
    assert_eq!(own, cache.path().join("c").join(vault.id()));
    assert_eq!(fs::metadata(&own).unwrap().permissions().mode() & 0o777, 0o700);
    let tag = fs::read_to_string(cache.path().join("c/CACHEDIR.TAG")).unwrap();
    assert!(tag.starts_with("Signature: 8a477f597d28d172789f06886806bc55\n"));

    let without = open(&folder, PASSWORD).unwrap();
    let temporary = without.clone().cache_folder().unwrap();
    assert!(temporary.is_dir());
    drop(without);
    assert!(!temporary.exists());
}

#[test]
fn secrets_are_not_shown() {
    let (_folder, vault) = test_vault();
    let shown = format!("{vault:?} {:?}", Password::new("secret"));
    let key = data_encoding::HEXLOWER.encode(&vault.key().bytes().encrypt);
    assert!(!shown.contains("secret") && !shown.contains(&key) && shown.contains("MasterKey"));
}
