//! Lines of JSON over a unix socket, with a time limit on everything: what QEMU's monitor and its guest agent have in common.
//!
//! Both serve one client at a time: whoever comes second is let in by the kernel and then hears nothing.

use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::snapshot::{Error, Result};

/// No answer is as long: a machine of many disks with many snapshots tells some hundred kilobytes.
const LONGEST: usize = 64 << 20;

/// How long a request may take to be handed over.
const HAND_OVER: Duration = Duration::from_secs(5);

/// Why a socket cannot be spoken to.
#[derive(Debug, thiserror::Error)]
pub enum Unreached {
    /// Nobody listens: the machine does not run.
    #[error("{0}")]
    Off(String),
    /// It is there, and does not answer.
    #[error("{0}")]
    Silent(String),
    /// This user may not.
    #[error("{0}")]
    Rights(String),
}

impl Unreached {
    /// As an error about a target.
    pub fn about(self, target: &str) -> Error {
        match self {
            Unreached::Rights(what) => Error::Rights {
                what,
                help: "run it with sudo, or as the user who runs the machine".into(),
            },
            Unreached::Off(why) | Unreached::Silent(why) => Error::Unable {
                target: target.to_owned(),
                why,
            },
        }
    }
}

/// A socket that is open.
#[derive(Debug)]
pub(super) struct Wire {
    stream: UnixStream,
    path: PathBuf,
    read: Vec<u8>,
}

impl Wire {
    /// Opens a socket within a time limit.
    pub fn open(path: &Path, limit: Duration) -> Result<Wire, Unreached> {
        // Where too many wait already, the system call would wait too.
        let (tell, told) = channel();
        let to = path.to_path_buf();
        std::thread::spawn(move || tell.send(UnixStream::connect(to)));
        let shown = path.display();
        let stream = match told.recv_timeout(limit) {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => {
                return Err(match error.kind() {
                    ErrorKind::NotFound => Unreached::Off(format!("it does not run: there is no socket {shown}")),
                    ErrorKind::ConnectionRefused => {
                        Unreached::Off(format!("it does not run: nobody listens on the socket {shown}"))
                    }
                    ErrorKind::PermissionDenied => Unreached::Rights(format!("speaking to the socket {shown}")),
                    _ => Unreached::Silent(format!("its socket {shown} cannot be opened: {error}")),
                });
            }
            Err(_) => {
                return Err(Unreached::Silent(format!(
                    "its socket {shown} lets nobody in: too many wait there already"
                )));
            }
        };
        let _ = stream.set_write_timeout(Some(HAND_OVER));
        Ok(Wire {
            stream,
            path: path.to_path_buf(),
            read: Vec::new(),
        })
    }

    /// Sends bytes as they are.
    pub fn send_raw(&mut self, bytes: &[u8]) -> Result<()> {
        self.stream.write_all(bytes).map_err(|source| Error::Io {
            action: "write to",
            path: self.path.clone(),
            source,
        })
    }

    /// Sends a value as a line.
    pub fn send(&mut self, value: &Value) -> Result<()> {
        self.send_raw(format!("{value}\n").as_bytes())
    }

    /// The next line, without its end; `None` when it has not come by `until`.
    pub fn line(&mut self, until: Instant) -> Result<Option<Vec<u8>>> {
        let failed = |source| Error::Io {
            action: "read from",
            path: self.path.clone(),
            source,
        };
        loop {
            if let Some(end) = self.read.iter().position(|byte| *byte == b'\n') {
                let mut line: Vec<u8> = self.read.drain(..=end).collect();
                line.truncate(line.trim_ascii_end().len());
                return Ok(Some(line));
            }
            if self.read.len() > LONGEST {
                return Err(failed(std::io::Error::other("the answer has no end")));
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            self.stream.set_read_timeout(Some(left)).map_err(failed)?;
            let mut more = [0; 16 << 10];
            match (&self.stream).read(&mut more) {
                Ok(0) => return Err(failed(ErrorKind::UnexpectedEof.into())),
                Ok(read) => self.read.extend_from_slice(&more[..read]),
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted => {}
                    _ => return Err(failed(error)),
                },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_in_pieces_and_silence_ends() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
        let other = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.write_all(b"{\"a\":").unwrap();
            stream.write_all(b"1}\r\nrest").unwrap();
            (listener, stream)
        });
        let mut wire = Wire::open(&path, HAND_OVER).unwrap();
        let soon = Instant::now() + Duration::from_secs(20);
        assert_eq!(wire.line(soon).unwrap().unwrap(), b"{\"a\":1}");
        assert_eq!(wire.line(Instant::now()).unwrap(), None);
        drop(other.join().unwrap());
        assert!(wire.line(soon).is_err());
        let refused = Wire::open(&path, HAND_OVER).unwrap_err();
        assert!(
            matches!(&refused, Unreached::Off(why) if why.contains("nobody listens")),
            "{refused}"
        );
        let refused = Wire::open(&folder.path().join("t"), HAND_OVER).unwrap_err();
        assert!(
            matches!(&refused, Unreached::Off(why) if why.contains("there is no socket")),
            "{refused}"
        );
    }
}
