//! Naming a vault's price where the vault stands.

use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::{headers, string};
use crate::config::{Config, Error, Result};

/// The text with this price for a vault, or with none; everything else stays as it is written. Errors when there is no such
/// vault, or when it is not written as a table of its own.
pub fn set_price(text: &str, file: &Path, vault: &str, price: Option<&str>) -> Result<String> {
    let config = Config::parse(text, file)?;
    let Some(known) = config.vault(vault) else {
        return Err(Error::Edit(format!("there is no vault {vault} in {}", file.display())));
    };
    if known.price.as_deref() == price {
        return Ok(text.to_owned());
    }
    let by_hand = || {
        let file = file.display();
        Error::Edit(format!(
            "vault {vault} is not written as a table of its own, [vaults.{vault}], in {file}: change it by hand"
        ))
    };
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let headers = headers(text, &lines);
    let is_header = |path: &[String]| matches!(path, [group, name] if group == "vaults" && name == vault);
    let (header, _) = headers.iter().find(|(_, path)| is_header(path)).ok_or_else(by_hand)?;
    let header_end: usize = lines[..=*header].iter().map(|line| line.len()).sum();

    let parsed = DeTable::parse(text).map_err(|_| by_hand())?;
    let table = table_in(parsed.get_ref(), "vaults").and_then(|vaults| table_in(vaults, vault));
    let written = table.ok_or_else(by_hand)?.iter();
    let written: Vec<_> = written
        .map(|(name, value)| (name.get_ref().as_ref(), name.span(), value.span()))
        .collect();
    let line_end = |at: usize| text[at..].find('\n').map_or(text.len(), |found| at + found + 1);
    let present = written.iter().find(|(name, ..)| *name == "price");
    let mut out = text.to_owned();
    match (present, price) {
        (Some((.., value)), Some(id)) => out.replace_range(value.clone(), &string(id)),
        (Some((_, name, value)), None) => {
            let start = text[..name.start].rfind('\n').map_or(0, |at| at + 1);
            out.replace_range(start..line_end(value.end), "");
        }
        (None, _) => {
            let ends = written.iter().map(|(.., value)| line_end(value.end));
            let last = ends.max().unwrap_or(header_end).max(header_end);
            let gap = if text[..last].ends_with('\n') { "" } else { "\n" };
            let line = price.map(|id| format!("{gap}price = {}\n", string(id)));
            out.insert_str(last, &line.unwrap_or_default());
        }
    }
    // What came out must say what was meant, or nothing is written.
    match Config::parse(&out, file)?.vault(vault) {
        Some(found) if found.price.as_deref() == price => Ok(out),
        _ => Err(by_hand()),
    }
}

fn table_in<'a>(table: &'a DeTable<'a>, wanted: &str) -> Option<&'a DeTable<'a>> {
    let (_, value) = table.iter().find(|(name, _)| name.get_ref().as_ref() == wanted)?;
    match value.get_ref() {
        DeValue::Table(inner) => Some(inner),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    const FILE: &str = "/etc/coffer/config.toml";
    const TEXT: &str = "# top\n[vaults.a]  # first\npath = '/a' # here\n\n# about b\n[vaults.b]\nprice   = 'wasabi' # cheap\npath = '/b'\n\n[plans.p]\npaths = ['/']\nvault = 'a'\n";

    fn set(vault: &str, price: Option<&str>) -> String {
        set_price(TEXT, Path::new(FILE), vault, price).unwrap()
    }

    #[test]
    fn only_the_price_changes() {
        assert_eq!(
            set("a", Some("backblaze-b2")),
            TEXT.replace("path = '/a' # here\n", "path = '/a' # here\nprice = \"backblaze-b2\"\n")
        );
        assert_eq!(
            set("b", Some("backblaze-b2")),
            TEXT.replace("'wasabi'", "\"backblaze-b2\"")
        );
        assert_eq!(set("b", None), TEXT.replace("price   = 'wasabi' # cheap\n", ""));
        assert_eq!(set("a", None), TEXT);
        assert_eq!(set("b", Some("wasabi")), TEXT);
        let file = Path::new(FILE);
        let bare = "[vaults.a]\npath = '/a'";
        assert_eq!(
            set_price(bare, file, "a", Some("wasabi")).unwrap(),
            "[vaults.a]\npath = '/a'\nprice = \"wasabi\"\n"
        );
    }

    #[test]
    fn what_cannot_be_changed_is_refused() {
        let file = Path::new(FILE);
        assert_snapshot!(set_price(TEXT, file, "x", None).unwrap_err(), @"there is no vault x in /etc/coffer/config.toml");
        let inline = "vaults = { a = { path = '/a' } }\n";
        assert_snapshot!(set_price(inline, file, "a", Some("wasabi")).unwrap_err(), @"vault a is not written as a table of its own, [vaults.a], in /etc/coffer/config.toml: change it by hand");
    }
}
