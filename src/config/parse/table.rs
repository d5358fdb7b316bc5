//! A table of the config with typed reading of its keys, each complaint with its line.

use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::super::{Error, Result, folders, suggest};
use super::parse_size;

/// The text, for lines in messages.
pub(super) struct Source<'a> {
    pub(super) text: &'a str,
    pub(super) file: &'a Path,
}

impl Source<'_> {
    /// The line of an offset, from 1.
    pub(super) fn line(&self, at: usize) -> usize {
        let before = self.text.as_bytes().get(..at).unwrap_or(self.text.as_bytes());
        1 + before.iter().filter(|byte| **byte == b'\n').count()
    }

    pub(super) fn error(&self, at: usize, what: &str) -> Error {
        Error::Invalid {
            file: self.file.into(),
            line: self.line(at),
            what: what.trim().replace('\n', ", "),
        }
    }
}

/// One table, with typed reading of its keys. Every value comes with its offset in the text.
pub(super) struct Table<'a> {
    pub(super) source: &'a Source<'a>,
    what: String,
    at: usize,
    pub(super) table: &'a DeTable<'a>,
}

impl<'a> Table<'a> {
    pub(super) fn new(source: &'a Source<'a>, what: &str, at: usize, table: &'a DeTable<'a>) -> Table<'a> {
        Table {
            source,
            what: what.into(),
            at,
            table,
        }
    }

    /// Errors on the first key that is not one of these.
    pub(super) fn only(&self, keys: &[&str]) -> Result<()> {
        self.unknown(keys).into_iter().next().map_or(Ok(()), Err)
    }

    /// A complaint for each key that is not one of these, in the order of the file.
    pub(super) fn unknown(&self, keys: &[&str]) -> Vec<Error> {
        let mut unknown: Vec<_> = self
            .table
            .iter()
            .map(|(key, _)| (key.span().start, key.get_ref().as_ref()))
            .filter(|(_, name)| !keys.contains(name))
            .collect();
        unknown.sort_unstable();
        let complaint = |(at, name): (usize, &str)| {
            let hint = match suggest(name, keys.iter().copied()) {
                Some(meant) => format!("did you mean {meant}?"),
                None => format!("it can have {}", keys.join(", ")),
            };
            self.source
                .error(at, &format!("{} has no key {name:?}: {hint}", self.what))
        };
        unknown.into_iter().map(complaint).collect()
    }

    /// The table `key`, if there is one.
    pub(super) fn table(&self, key: &str, what: &str) -> Result<Option<Table<'a>>> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let at = value.span().start;
        match value.get_ref() {
            DeValue::Table(table) => Ok(Some(Table::new(self.source, what, at, table))),
            _ => Err(self.source.error(at, &format!("{key} must be a table: [{key}]"))),
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.table
            .iter()
            .find(|(name, _)| name.get_ref().as_ref() == key)
            .map(|(_, value)| value)
    }

    pub(super) fn wrong(&self, key: &str, value: &Spanned<DeValue>, wanted: &str) -> Error {
        let what = format!(
            "{key} of {} must be {wanted}, not {}",
            self.what,
            value.get_ref().type_str()
        );
        self.source.error(value.span().start, &what)
    }

    pub(super) fn missing(&self, at: usize, example: &str) -> Error {
        self.source
            .error(at.max(self.at), &format!("{} lacks {example}", self.what))
    }

    /// The tables in the table `key`, in the order of the file, with names and offsets.
    pub(super) fn tables(&self, key: &str) -> Result<Vec<(String, usize, Table<'a>)>> {
        self.tables_but(key, &[])
    }

    /// The same, where some of its keys are no tables.
    pub(super) fn tables_but(&self, key: &str, others: &[&str]) -> Result<Vec<(String, usize, Table<'a>)>> {
        let Some(value) = self.get(key) else {
            return Ok(Vec::new());
        };
        let kind = key.trim_end_matches('s');
        let DeValue::Table(tables) = value.get_ref() else {
            return Err(self.wrong(key, value, &format!("tables: [{key}.name]")));
        };
        let mut found = Vec::new();
        for (name, value) in tables.iter() {
            let (at, name) = (name.span().start, name.get_ref().to_string());
            if others.contains(&name.as_str()) {
                continue;
            }
            let DeValue::Table(table) = value.get_ref() else {
                let what = format!("{kind} {name:?} must be a table: [{key}.{name}]");
                return Err(self.source.error(at, &what));
            };
            let table = Table::new(self.source, &format!("{kind} {name:?}"), at, table);
            found.push((name, at, table));
        }
        found.sort_by_key(|(_, at, _)| *at);
        Ok(found)
    }

    pub(super) fn string(&self, key: &str) -> Result<Option<(String, usize)>> {
        match self.get(key) {
            None => Ok(None),
            Some(value) => match value.get_ref() {
                DeValue::String(text) if text.is_empty() => Err(self
                    .source
                    .error(value.span().start, &format!("{key} of {} is empty", self.what))),
                DeValue::String(text) => Ok(Some((text.to_string(), value.span().start))),
                _ => Err(self.wrong(key, value, "a string")),
            },
        }
    }

    pub(super) fn strings(&self, key: &str) -> Result<Vec<(String, usize)>> {
        let Some(value) = self.get(key) else {
            return Ok(Vec::new());
        };
        let wanted = "an array of strings";
        let DeValue::Array(values) = value.get_ref() else {
            return Err(self.wrong(key, value, wanted));
        };
        let each = |value: &Spanned<DeValue>| match value.get_ref() {
            DeValue::String(text) => Ok((text.to_string(), value.span().start)),
            _ => Err(self.wrong(key, value, wanted)),
        };
        values.iter().map(each).collect()
    }

    pub(super) fn boolean(&self, key: &str) -> Result<bool> {
        match self.get(key) {
            None => Ok(false),
            Some(value) => value
                .get_ref()
                .as_bool()
                .ok_or_else(|| self.wrong(key, value, "true or false")),
        }
    }

    pub(super) fn integer(&self, key: &str) -> Result<Option<(i64, usize)>> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let number = value
            .get_ref()
            .as_integer()
            .and_then(|n| i64::from_str_radix(n.as_str(), n.radix()).ok());
        number
            .map(|n| Some((n, value.span().start)))
            .ok_or_else(|| self.wrong(key, value, "a whole number"))
    }

    /// A number of bytes, or a string such as `"16M"`.
    pub(super) fn size(&self, key: &str) -> Result<Option<(u64, usize)>> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let size = match value.get_ref() {
            DeValue::String(text) => parse_size(text),
            _ => self.integer(key)?.and_then(|(n, _)| u64::try_from(n).ok()),
        };
        let example = || {
            self.source.error(
                value.span().start,
                &format!("{key} of {} must be a size such as \"16M\"", self.what),
            )
        };
        Ok(Some((size.ok_or_else(example)?, value.span().start)))
    }

    /// A path with `~/` expanded, relative ones starting at the config file's folder.
    pub(super) fn path(&self, text: &str, at: usize) -> Result<PathBuf> {
        let folder = self.source.file.parent().unwrap_or(Path::new(""));
        Ok(folder.join(self.expand(text, at)?))
    }

    pub(super) fn expand(&self, text: &str, at: usize) -> Result<PathBuf> {
        let Some(rest) = text.strip_prefix("~/").or((text == "~").then_some("")) else {
            return Ok(text.into());
        };
        let home = folders::home().ok_or_else(|| self.source.error(at, "there is no home folder for ~"))?;
        Ok(home.join(rest))
    }
}
