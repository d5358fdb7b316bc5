//! Errors as people read them.

use std::fmt::Display;

/// What an error says, without the numbers that the system's errors carry: `Permission denied (os error 13)` is `Permission
/// denied`.
pub fn said(error: impl Display) -> String {
    const BEGIN: &str = " (os error ";
    let whole = error.to_string();
    let mut out = String::with_capacity(whole.len());
    let mut rest = whole.as_str();
    while let Some(at) = rest.find(BEGIN) {
        let (before, behind) = rest.split_at(at);
        out.push_str(before);
        let number = &behind[BEGIN.len()..];
        let end = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
        rest = match number[end..].strip_prefix(')') {
            Some(tail) if end > 0 => tail,
            _ => {
                out.push_str(BEGIN);
                number
            }
        };
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_numbers_are_left_out() {
        let error = std::io::Error::from_raw_os_error(20);
        assert_eq!(
            said(format!("cannot open \"/a\": {error}; see")),
            "cannot open \"/a\": Not a directory; see"
        );
        assert_eq!(said("a (os error 1) (os error 22)"), "a");
        assert_eq!(said("a (os error x) b (os error "), "a (os error x) b (os error ");
        assert_eq!(said("ü"), "ü");
    }
}
