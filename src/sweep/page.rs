//! `report.html` of a sweep.

use super::compared::Compared;
use super::plots::Picture;
use super::table::{Table, about, failures, tables};
use askama::Template;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

#[derive(Template)]
#[template(path = "sweep.html")]
struct Page {
    source: String,
    /// How many cells are done, and of how many.
    done: usize,
    all: usize,
    about: String,
    tables: Vec<Table>,
    failed: usize,
    pictures: Vec<Drawn>,
    command: String,
    cells: Vec<Link>,
}

/// A picture in the page.
struct Drawn {
    title: &'static str,
    alt: String,
    data: String,
}

/// A cell with the page of its run.
struct Link {
    name: String,
    title: String,
    outcome: String,
    has_page: bool,
}

/// The text of the page.
pub(super) fn page(compared: &Compared<'_>, pictures: &[Picture]) -> String {
    let plan = compared.plan;
    let is_done = |result: &&Option<_>| result.is_some();
    let links = plan.cells.iter().zip(&compared.results);
    let links = links.map(|(cell, result)| Link {
        name: cell.name.clone(),
        title: cell.title(),
        outcome: match result {
            None => "missing".into(),
            Some(result) => match &result.failure {
                None => "done".into(),
                Some(failure) => failure.to_string(),
            },
        },
        has_page: plan.folder_of(cell).join(crate::page::PAGE).is_file(),
    });
    let page = Page {
        source: plan.source.clone(),
        done: compared.results.iter().filter(is_done).count(),
        all: plan.cells.len(),
        about: about(compared),
        tables: tables(compared),
        failed: failures(compared).len(),
        pictures: pictures
            .iter()
            .map(|picture| Drawn {
                title: picture.title,
                alt: picture.alt.clone(),
                data: BASE64_STANDARD.encode(&picture.png),
            })
            .collect(),
        command: compared.command.clone(),
        cells: links.collect(),
    };
    // It fails where a value cannot be written into a text, and all of these can.
    page.render().unwrap_or_else(|error| error.to_string())
}
