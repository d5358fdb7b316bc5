//! What keys do to the value of one row.

use super::super::super::field::Field;
use super::super::super::keys::{Code, Key};
use super::{List, Number, Reply};

/// A key in a line of text.
pub(super) fn on_field(field: &mut Field, key: Key) -> Reply {
    if key.code == Code::Enter {
        return Reply::Submit;
    }
    let before = field.text().len();
    match field.key(key) {
        true if matches!(key.code, Code::Left | Code::Right | Code::Home | Code::End) => Reply::Moved,
        true if before == 0 && field.text().is_empty() => Reply::Moved,
        true => Reply::Changed,
        false => Reply::Ignored,
    }
}

/// A key on a choice.
pub(super) fn on_choice(words: usize, at: &mut usize, key: Key) -> Reply {
    let next = match key.code {
        Code::Left | Code::Char('h') => at.saturating_sub(1),
        Code::Right | Code::Char('l') => (*at + 1).min(words.saturating_sub(1)),
        Code::Char(' ') if words > 0 => (*at + 1) % words,
        Code::Home => 0,
        Code::End => words.saturating_sub(1),
        Code::Enter => return Reply::Submit,
        _ => return Reply::Ignored,
    };
    if next == *at {
        return Reply::Moved;
    }
    *at = next;
    Reply::Changed
}

/// A key on a set of words.
pub(super) fn on_set(words: usize, on: &mut [bool], at: &mut usize, key: Key) -> Reply {
    match key.code {
        Code::Left | Code::Char('h') => *at = at.saturating_sub(1),
        Code::Right | Code::Char('l') => *at = (*at + 1).min(words.saturating_sub(1)),
        Code::Home => *at = 0,
        Code::End => *at = words.saturating_sub(1),
        Code::Char(' ') => {
            if let Some(on) = on.get_mut(*at) {
                *on = !*on;
            }
            return Reply::Changed;
        }
        Code::Enter => return Reply::Submit,
        _ => return Reply::Ignored,
    }
    Reply::Moved
}

/// A key on a number; `typing` says whether its digits are being typed.
pub(super) fn on_number(number: &mut Number, typing: &mut bool, key: Key) -> Reply {
    let value = number.value;
    let typed = std::mem::replace(typing, matches!(key.code, Code::Backspace | Code::Char('0'..='9')));
    let bounded = |value: u64| value.clamp(number.min, number.max);
    let next = match key.code {
        Code::Char(c) if c.is_ascii_digit() => {
            let digit = u64::from(c.to_digit(10).unwrap_or(0));
            let before = if typed { value } else { 0 };
            before.saturating_mul(10).saturating_add(digit).min(number.max)
        }
        Code::Backspace => value / 10,
        Code::Right | Code::Char('+') => bounded(value.saturating_add(number.step)),
        Code::Left | Code::Char('-') => bounded(value.saturating_sub(number.step)),
        Code::PageUp => bounded(value.saturating_add(number.step.saturating_mul(10))),
        Code::PageDown => bounded(value.saturating_sub(number.step.saturating_mul(10))),
        Code::Home => number.min,
        Code::End => number.max,
        Code::Enter => {
            number.value = bounded(value);
            return Reply::Submit;
        }
        _ => return Reply::Ignored,
    };
    if next == value {
        return Reply::Moved;
    }
    number.value = next;
    Reply::Changed
}

/// A key in a list of texts.
pub(super) fn on_list(list: &mut List, key: Key) -> Reply {
    if list.typing && list.at >= list.rows.len() {
        return match key.code {
            Code::Enter if list.typed.text().trim().is_empty() => Reply::Submit,
            Code::Enter => {
                list.add();
                Reply::Changed
            }
            _ => on_field(&mut list.typed, key),
        };
    }
    match key.code {
        Code::Char('x' | 'd') | Code::Delete | Code::Backspace if list.at < list.rows.len() => {
            list.remove();
            Reply::Changed
        }
        // Back to where it can be changed.
        Code::Enter if list.typing => {
            list.typed = Field::new(&list.rows[list.at]);
            list.remove();
            list.at = list.rows.len();
            Reply::Changed
        }
        Code::Enter => Reply::Submit,
        _ => Reply::Ignored,
    }
}
