//! Passwords from files and commands.

use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};

use zeroize::Zeroizing;

use super::{Error, Result};
use crate::config::PasswordSource;
use crate::vault::Password;

/// More than this is no password.
const LIMIT: u64 = 64 << 10;

/// The password that a source gives; `vault` is for messages.
pub fn read_password(vault: &str, source: &PasswordSource) -> Result<Password> {
    let (origin, read) = match source {
        PasswordSource::File(file) => (format!("the file {}", file.display()), from_file(file)),
        PasswordSource::Command(words) => {
            let shown = match words.as_slice() {
                [shell, flag, command] if shell == "sh" && flag == "-c" => command,
                [program, ..] => program,
                [] => "",
            };
            (format!("the command {shown:?}"), from_command(words))
        }
    };
    let failed = |why: String| Error::PasswordSource {
        vault: vault.into(),
        origin: origin.clone(),
        why,
    };
    let text = decode(&read.map_err(failed)?).map_err(failed)?;
    if text.is_empty() {
        return Err(failed("it is empty".into()));
    }
    Ok(Password(text))
}

/// What a file holds, as far as a secret may be long.
pub(in crate::engine) fn from_file(file: &Path) -> Result<Zeroizing<Vec<u8>>, String> {
    read(std::fs::File::open(file).map_err(|e| e.to_string())?)
}

/// What a command prints.
pub(in crate::engine) fn from_command(words: &[String]) -> Result<Zeroizing<Vec<u8>>, String> {
    let (program, arguments) = words.split_first().ok_or("it is empty")?;
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| e.to_string())?;
    // Standard error is read beside, so that a command that says much does not block.
    let errors = child.stderr.take().map(|errors| {
        std::thread::spawn(move || {
            let mut errors = errors;
            let mut text = Vec::new();
            let _ = errors.by_ref().take(4096).read_to_end(&mut text);
            let _ = std::io::copy(&mut errors, &mut std::io::sink());
            String::from_utf8_lossy(&text).trim().to_owned()
        })
    });
    let output = child.stdout.take().ok_or("it has no output".to_owned()).and_then(read);
    let status = child.wait().map_err(|e| e.to_string())?;
    let said = errors.and_then(|thread| thread.join().ok()).unwrap_or_default();
    if !status.success() {
        return Err(if said.is_empty() {
            status.to_string()
        } else {
            format!("{status}: {said}")
        });
    }
    output
}

fn read(from: impl std::io::Read) -> Result<Zeroizing<Vec<u8>>, String> {
    // Reserved at once: growing would leave copies behind that are not wiped.
    let mut bytes = Zeroizing::new(Vec::with_capacity(LIMIT as usize + 1));
    from.take(LIMIT + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| e.to_string())?;
    if bytes.len() as u64 > LIMIT {
        Err(format!("it gives more than {LIMIT} bytes"))
    } else {
        Ok(bytes)
    }
}

/// The password in a file's bytes: UTF-16 and UTF-8 with a byte order mark are understood, white space at both ends is
/// not part of it.
fn decode(bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, String> {
    let wide = |rest: &[u8], unit: fn([u8; 2]) -> u16| {
        let (pairs, odd) = rest.as_chunks::<2>();
        let text: Option<Zeroizing<String>> = odd
            .is_empty()
            .then(|| {
                char::decode_utf16(pairs.iter().map(|pair| unit(*pair)))
                    .collect::<Result<String, _>>()
                    .ok()
            })
            .flatten()
            .map(Zeroizing::new);
        text.map(|text| trim(text.as_bytes()))
            .ok_or_else(|| "it is not valid UTF-16".to_owned())
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => Ok(trim(rest)),
        bytes => Ok(trim(bytes)),
    }
}

fn trim(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    let trimmed = std::str::from_utf8(bytes).map_or_else(|_| bytes.trim_ascii(), |text| text.trim().as_bytes());
    Zeroizing::new(trimmed.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(source: PasswordSource) -> Result<Vec<u8>> {
        read_password("home", &source).map(|password| password.0.to_vec())
    }

    #[test]
    fn files_are_trimmed_and_utf16_is_understood() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        for (bytes, password) in [
            (&b"  secret \r\n"[..], &b"secret"[..]),
            (b"\xff\xfes\0\xe4\0\n\0", "sä".as_bytes()),
            (b"\xfe\xff\0s\0\n", b"s"),
            (b"\xef\xbb\xbfs\n", b"s"),
            (b"\xffraw\n", b"\xffraw"),
        ] {
            std::fs::write(&file, bytes).unwrap();
            assert_eq!(given(PasswordSource::File(file.clone())).unwrap(), password);
        }
        for bytes in [&b" \n"[..], b"\xff\xfes", &[b'x'; 70_000]] {
            std::fs::write(&file, bytes).unwrap();
            let error = given(PasswordSource::File(file.clone())).unwrap_err();
            assert!(matches!(error, Error::PasswordSource { .. }), "{error}");
            assert_eq!(error.exit_code(), 1);
        }
        assert!(
            given(PasswordSource::File(folder.path().join("none")))
                .unwrap_err()
                .to_string()
                .contains("No such file")
        );
    }

    #[test]
    fn commands_give_their_output() {
        assert_eq!(given(PasswordSource::shell("printf ' a b\\n'")).unwrap(), b"a b");
        assert_eq!(
            given(PasswordSource::Command(vec!["echo".into(), "x y".into()])).unwrap(),
            b"x y"
        );
        let error = given(PasswordSource::shell("echo locked >&2; exit 3"))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("locked") && error.contains('3') && error.contains("home"),
            "{error}"
        );
        assert!(given(PasswordSource::Command(vec!["/nonexistent/program".into()])).is_err());
        assert!(
            given(PasswordSource::shell("true"))
                .unwrap_err()
                .to_string()
                .contains("empty")
        );
    }
}
