//! Plans, jobs and restores of the made-up world.

use coffer::engine::question::{PlanRow, RestorePlanSummary};
use coffer::engine::{Answer, JobIssue, Question};

use super::World;

pub(super) fn answer(world: &World, question: &Question) -> Option<Answer> {
    Some(match question {
        Question::Plans if world.bare => Answer::Plans(Vec::new()),
        Question::Plans => Answer::Plans(vec![
            plan("documents", "away", &["/home/anna/documents"]),
            plan("everything", "home", &["/etc", "/home", "/root", "/srv"]),
        ]),
        Question::PlanRestore { rules, target, .. } if target.ends_with("full") => {
            Answer::RestorePlan(RestorePlanSummary {
                plan: 8,
                create: 120 + rules.len() as u64,
                overwrite: 3,
                keep: 1_204,
                bytes: 345_678_901,
                overwritten: ["notes.txt", "taxes/2025.ods", "evil\u{202e}gnp.exe"]
                    .iter()
                    .map(|name| vec![b"home".to_vec(), b"anna".to_vec(), name.as_bytes().to_vec()])
                    .collect(),
                warnings: vec!["You are not root: owners cannot be restored.".into()],
            })
        }
        Question::PlanRestore { target, .. } if target.ends_with("forbidden") => {
            Answer::Failed("cannot make /root/forbidden: Permission denied".into())
        }
        Question::PlanRestore { rules, .. } => Answer::RestorePlan(RestorePlanSummary {
            plan: 7,
            create: 41 * rules.len() as u64,
            bytes: 3_456_789,
            ..RestorePlanSummary::default()
        }),
        Question::Jobs { .. } => Answer::Jobs(Vec::new()),
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

fn plan(name: &str, vault: &str, paths: &[&str]) -> PlanRow {
    PlanRow {
        name: name.into(),
        vault: vault.into(),
        paths: paths.iter().map(Into::into).collect(),
    }
}
