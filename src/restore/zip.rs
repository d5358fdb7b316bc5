//! zip: content, times to two seconds, permission bits and symlinks; other kinds of entry are reported.

use std::borrow::Cow;
use std::io::{self, Write};

use zip::result::ZipError;
use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::dump::Sink;
use super::{Issue, IssueKind};
use crate::vault::{Node, NodeType, Time};

/// Files from this size on need the format's long fields.
const LONG: u64 = 0xffff_0000;

/// Writes a zip archive.
pub(super) struct ZipSink<'a> {
    /// `None` once it is finished.
    zip: Option<ZipWriter<StreamWriter<&'a mut dyn Write>>>,
    in_file: bool,
}

impl<'a> ZipSink<'a> {
    pub fn new(out: &'a mut dyn Write) -> ZipSink<'a> {
        ZipSink {
            zip: Some(ZipWriter::new_stream(out)),
            in_file: false,
        }
    }
}

impl Sink for ZipSink<'_> {
    fn entry(&mut self, name: &[u8], node: &Node, size: u64, _link: Option<&[u8]>) -> io::Result<Option<Issue>> {
        let warn = |error: String| {
            Ok(Some(Issue {
                path: Vec::new(),
                kind: IssueKind::NotRestored,
                error,
            }))
        };
        self.in_file = false;
        let Some(zip) = &mut self.zip else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(date(&node.mtime))
            .unix_permissions(node.unix_permissions())
            .large_file(size >= LONG);
        let text = utf8(name);
        let added = match node.kind {
            NodeType::File => zip.start_file(&text, options),
            NodeType::Dir => zip.add_directory(text.as_ref(), options),
            NodeType::Symlink => zip.add_symlink(&text, utf8(&node.link_target), options),
            _ => return warn("zip holds files, folders and symlinks only; it was left out".into()),
        };
        match added {
            // Nothing of the entry is written then; the others can still be.
            Err(ZipError::InvalidArchive(why)) => {
                return Ok(Some(Issue {
                    path: Vec::new(),
                    kind: IssueKind::Failed,
                    error: format!("zip cannot hold it ({why}); it was left out"),
                }));
            }
            added => added?,
        }
        self.in_file = node.kind == NodeType::File;
        if let Cow::Owned(text) = text {
            return warn(format!("zip names are UTF-8: it is called {text:?} there"));
        }
        Ok(None)
    }

    fn content(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.zip {
            Some(zip) if self.in_file => zip.write_all(bytes),
            _ => Ok(()),
        }
    }

    fn end_of_content(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        match self.zip.take() {
            Some(zip) => zip.finish()?.into_inner().flush(),
            None => Ok(()),
        }
    }
}

/// Bytes as text; those that are not UTF-8 as `%E4`, so that names that differ still do.
fn utf8(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        chunk
            .invalid()
            .iter()
            .for_each(|byte| text.push_str(&format!("%{byte:02X}")));
    }
    Cow::Owned(text)
}

/// The time of day in the zone that the generation tells it in, as zip keeps no zone.
fn date(time: &Time) -> DateTime {
    let first = DateTime::default();
    let Ok(local) = jiff::Timestamp::from_second(time.seconds.saturating_add(i64::from(time.offset))) else {
        return first;
    };
    let local = local.to_zoned(jiff::tz::TimeZone::UTC).datetime();
    let part = |number: i8| u8::try_from(number).unwrap_or(0);
    let year = u16::try_from(local.year()).unwrap_or(0);
    let (month, day) = (part(local.month()), part(local.day()));
    let (hour, minute, second) = (part(local.hour()), part(local.minute()), part(local.second()));
    DateTime::from_date_and_time(year, month, day, hour, minute, second).unwrap_or(first)
}
