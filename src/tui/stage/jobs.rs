//! What the made-up world says of jobs.

use coffer::engine::{Answer, JobIssue, LogLine, Question};
use coffer::vault::Time;

use super::NOW;

/// Its answers.
pub fn answer(_: &super::World, question: &Question) -> Option<Answer> {
    Some(match question {
        Question::Jobs { .. } => Answer::Jobs(Vec::new()),
        Question::JobLog { .. } => Answer::JobLog(log()),
        Question::Issues { .. } => Answer::Issues(vec![
            JobIssue {
                path: b"/home/anna/secret.key".to_vec(),
                text: "Permission denied".into(),
            },
            JobIssue {
                path: b"/home/anna/a\x1b[31mb".to_vec(),
                text: "Permission denied".into(),
            },
        ]),
        _ => return None,
    })
}

fn log() -> Vec<LogLine> {
    let lines = [
        (0, "started in process 4711"),
        (1, "opened /srv/vaults/home"),
        (1, "holds a shared lock"),
        (3, "read the index and the plan, restoring"),
        (41, "the interface was left; goes on in the background"),
        (65, "done: 41 files, 3.3 MiB"),
    ];
    let line = |(after, text): (i64, &str)| LogLine {
        time: Time {
            seconds: NOW + after,
            ..Time::default()
        },
        text: text.into(),
    };
    lines.map(line).into()
}
