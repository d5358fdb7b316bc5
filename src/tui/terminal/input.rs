//! What the terminal sends, as messages.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::time::Duration;

use crossterm::event::{Event, EventStream, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use futures_core::Stream;

use super::super::keys::{Code, Key};
use super::super::msg::{Moment, Msg};

/// The next event; `None` when the terminal is gone. For ever without a stream.
pub async fn next(stream: &mut Option<EventStream>) -> Option<io::Result<Event>> {
    let Some(stream) = stream else {
        return std::future::pending().await;
    };
    poll_fn(|context| Pin::new(&mut *stream).poll_next(context)).await
}

/// Drops what was typed and not taken: after a while in the shell nobody means it any more.
pub fn forget_typed() {
    while crossterm::event::poll(Duration::ZERO).is_ok_and(|there| there) && crossterm::event::read().is_ok() {}
}

/// The message an event is, if it is one.
pub fn message(event: Event, at: Moment) -> Option<Msg> {
    match event {
        Event::Key(event) if event.kind != KeyEventKind::Release => Some(Msg::Key(key(event)?, at)),
        Event::Paste(text) => Some(Msg::Paste(text, at)),
        Event::Resize(columns, rows) => Some(Msg::Resize(columns, rows)),
        _ => None,
    }
}

fn key(event: KeyEvent) -> Option<Key> {
    let code = match event.code {
        KeyCode::Char(c) => Code::Char(c),
        KeyCode::Enter => Code::Enter,
        KeyCode::Esc => Code::Esc,
        KeyCode::Tab if event.modifiers.contains(KeyModifiers::SHIFT) => Code::BackTab,
        KeyCode::Tab => Code::Tab,
        KeyCode::BackTab => Code::BackTab,
        KeyCode::Backspace => Code::Backspace,
        KeyCode::Delete => Code::Delete,
        KeyCode::Up => Code::Up,
        KeyCode::Down => Code::Down,
        KeyCode::Left => Code::Left,
        KeyCode::Right => Code::Right,
        KeyCode::Home => Code::Home,
        KeyCode::End => Code::End,
        KeyCode::PageUp => Code::PageUp,
        KeyCode::PageDown => Code::PageDown,
        KeyCode::F(n) => Code::F(n),
        _ => return None,
    };
    let has = |modifier| event.modifiers.contains(modifier);
    Some(Key {
        code,
        ctrl: has(KeyModifiers::CONTROL),
        alt: has(KeyModifiers::ALT),
    })
}
