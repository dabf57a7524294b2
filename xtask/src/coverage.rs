//! `coverage`: which actions and members are done, refused or absent, as a page of the documents.
//!
//! The specification says what there is, `spec/served.toml` what is meant to be built, and the API crate,
//! asked by running its example `coverage`, what is built and which members it refuses.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use crate::docs;
use crate::spec::Spec;

const ENGLISH: &str = "docs/en/reference/coverage.md";
const RUSSIAN: &str = "docs/ru/reference/coverage.md";

/// What the API crate says of one built action.
#[derive(Deserialize)]
struct Built {
    name: String,
    refused: Vec<Refused>,
}

#[derive(Deserialize)]
struct Refused {
    path: String,
    why: String,
}

/// Members of one action's request.
#[derive(Default)]
struct Count {
    done: usize,
    refused: usize,
}

/// Prints the English page.
pub(crate) fn print(root: &Path) -> Result<()> {
    print!("{}", page(&Table::read(root)?, &ENGLISH_WORDS));
    Ok(())
}

/// Both pages: path from the root and text.
pub(crate) fn pages(root: &Path) -> Result<Vec<(PathBuf, String)>> {
    let table = Table::read(root)?;
    let english = page(&table, &ENGLISH_WORDS);
    let russian = docs::with_stamp(&english, &page(&table, &RUSSIAN_WORDS));
    Ok(vec![(PathBuf::from(ENGLISH), english), (PathBuf::from(RUSSIAN), russian)])
}

struct Table {
    spec: Spec,
    built: BTreeMap<String, Built>,
}

impl Table {
    fn read(root: &Path) -> Result<Self> {
        let spec = Spec::read(root)?;
        let built: BTreeMap<String, Built> =
            ask_the_api(root)?.into_iter().map(|action| (action.name.clone(), action)).collect();
        for (name, action) in &built {
            ensure!(spec.served.contains(name), "{name} is built, but spec/served.toml does not list it");
            for refused in &action.refused {
                let known = member_exists(&spec, &spec.actions[name].request, &refused.path);
                ensure!(known, "{name} refuses {}, which the specification does not have", refused.path);
            }
        }
        Ok(Self { spec, built })
    }

    fn absent(&self) -> Vec<&str> {
        self.spec.served.iter().map(String::as_str).filter(|name| !self.built.contains_key(*name)).collect()
    }

    fn refused(&self) -> Vec<&str> {
        self.spec
            .actions
            .keys()
            .map(String::as_str)
            .filter(|name| !self.spec.served.contains(*name))
            .collect()
    }

    fn count(&self, action: &Built) -> Count {
        let mut count = Count::default();
        let request = &self.spec.actions[&action.name].request;
        self.walk(request, "", false, &mut Vec::new(), action, &mut count);
        count
    }

    fn walk<'a>(
        &'a self,
        object: &'a str,
        path: &str,
        below_refused: bool,
        above: &mut Vec<&'a str>,
        action: &Built,
        count: &mut Count,
    ) {
        if above.contains(&object) {
            return;
        }
        above.push(object);
        for member in &self.spec.objects[object].members {
            let path = if path.is_empty() { member.name.clone() } else { format!("{path}.{}", member.name) };
            let refused = below_refused || action.refused.iter().any(|refused| refused.path == path);
            if refused {
                count.refused += 1;
            } else {
                count.done += 1;
            }
            if let Some(inner) = member.shape.object() {
                self.walk(inner, &path, refused, above, action, count);
            }
        }
        above.pop();
    }
}

fn member_exists(spec: &Spec, object: &str, path: &str) -> bool {
    let (name, rest) = path.split_once('.').unwrap_or((path, ""));
    let Some(member) = spec.objects[object].members.iter().find(|member| member.name == name) else {
        return false;
    };
    rest.is_empty() || member.shape.object().is_some_and(|inner| member_exists(spec, inner, rest))
}

#[expect(clippy::disallowed_methods, reason = "a chore of the repository runs an example of another crate")]
fn ask_the_api(root: &Path) -> Result<Vec<Built>> {
    let output = std::process::Command::new(env!("CARGO"))
        .current_dir(root)
        .args(["run", "-q", "-p", "mps-api", "--example", "coverage"])
        .output()
        .context("start cargo")?;
    if !output.status.success() {
        bail!(
            "the example `coverage` of mps-api does not run:\n{}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    serde_json::from_slice(&output.stdout).context("parse what the example `coverage` of mps-api prints")
}

/// The words of a page.
struct Words {
    head: &'static str,
    totals: &'static str,
    totals_row: &'static str,
    actions: &'static str,
    members: &'static str,
    built: &'static str,
    built_row: &'static str,
    refused_members: &'static str,
    refused_row: &'static str,
    absent: &'static str,
    refused: &'static str,
    none: &'static str,
}

const ENGLISH_WORDS: Words = Words {
    head: "# API coverage\n\n\
        Written by `cargo xtask gen` from the specification and the code; not to be edited.\n\n\
        **Done**: answered with work, honoured. **Refused**: known, and answered with `UnsupportedOperation` \
        that names it. **Absent**: promised and not there. An action or a member outside the specification \
        is answered with `InvalidAction` or `UnknownParameter`.\n",
    totals: "Totals",
    totals_row: "| | done | refused | absent |",
    actions: "actions",
    members: "request members of the built actions",
    built: "Built actions",
    built_row: "| action | members done | members refused |",
    refused_members: "Refused members",
    refused_row: "| member | why |",
    absent: "Absent actions",
    refused: "Refused actions",
    none: "None.",
};

const RUSSIAN_WORDS: Words = Words {
    head: "# Покрытие API\n\n\
        Страницу пишет `cargo xtask gen` по спецификации и коду; править её вручную не нужно.\n\n\
        **Сделано**: выполняется, учитывается. **Отклоняется**: известно, ответ — `UnsupportedOperation` \
        с именем. **Отсутствует**: обещано, но не сделано. На действие или параметр вне спецификации ответ — \
        `InvalidAction` или `UnknownParameter`. Причины отказа приведены дословно, как их даёт сервер.\n",
    totals: "Итого",
    totals_row: "| | сделано | отклоняется | отсутствует |",
    actions: "действия",
    members: "параметры запросов сделанных действий",
    built: "Сделанные действия",
    built_row: "| действие | параметров сделано | параметров отклоняется |",
    refused_members: "Отклоняемые параметры",
    refused_row: "| параметр | причина |",
    absent: "Отсутствующие действия",
    refused: "Отклоняемые действия",
    none: "Нет.",
};

fn page(table: &Table, words: &Words) -> String {
    let counts: Vec<(&Built, Count)> =
        table.built.values().map(|action| (action, table.count(action))).collect();
    let done: usize = counts.iter().map(|(_, count)| count.done).sum();
    let refused: usize = counts.iter().map(|(_, count)| count.refused).sum();
    let mut text = words.head.to_owned();
    let _ = writeln!(text, "\n## {}\n\n{}\n|---|---|---|---|", words.totals, words.totals_row);
    let _ = writeln!(
        text,
        "| {} | {} | {} | {} |\n| {} | {done} | {refused} | 0 |",
        words.actions,
        table.built.len(),
        table.refused().len(),
        table.absent().len(),
        words.members,
    );
    let _ = writeln!(text, "\n## {}\n\n{}\n|---|---|---|", words.built, words.built_row);
    for (action, count) in &counts {
        let _ = writeln!(text, "| {} | {} | {} |", action.name, count.done, count.refused);
    }
    let _ = writeln!(text, "\n## {}", words.refused_members);
    for (action, _) in counts.iter().filter(|(action, _)| !action.refused.is_empty()) {
        let _ = writeln!(text, "\n### {}\n\n{}\n|---|---|", action.name, words.refused_row);
        let mut rows: Vec<&Refused> = action.refused.iter().collect();
        rows.sort_by(|a, b| a.path.cmp(&b.path));
        for refused in rows {
            let _ = writeln!(text, "| `{}` | {} |", refused.path, refused.why.replace('|', "\\|"));
        }
    }
    for (title, names) in [(words.absent, table.absent()), (words.refused, table.refused())] {
        let _ = writeln!(text, "\n## {title}\n");
        if names.is_empty() {
            let _ = writeln!(text, "{}", words.none);
        }
        for name in names {
            let _ = writeln!(text, "- {name}");
        }
    }
    text
}
