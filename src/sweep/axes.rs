//! What is varied, as it is typed.

use super::error::SweepError;
use crate::config;
use toml::Table;

/// A row of a sweep: settings that are trained with every seed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    /// What tables call it.
    pub(super) name: String,
    /// Assignments `section.key=value`, in their order.
    pub(super) sets: Vec<String>,
}

/// What the one row of a sweep is called that varies nothing.
const AS_IT_IS: &str = "as it is";

/// The rows of `--vary` arguments, which are all combinations of their values, and after them those of `--row` arguments.
pub(super) fn rows(vary: &[String], single: &[String]) -> Result<Vec<Row>, SweepError> {
    let axes: Vec<Vec<String>> = vary
        .iter()
        .map(|text| axis(text))
        .collect::<Result<_, _>>()?;
    for (place, values) in axes.iter().enumerate() {
        let key = key_of(&values[0]);
        if axes[..place].iter().any(|before| key_of(&before[0]) == key) {
            return Err(SweepError::Twice { key: key.into() });
        }
    }
    let mut rows = Vec::new();
    if !axes.is_empty() || single.is_empty() {
        let mut products = vec![Vec::new()];
        for values in &axes {
            products = products
                .iter()
                .flat_map(|before: &Vec<String>| {
                    let longer = |value: &String| [before, std::slice::from_ref(value)].concat();
                    values.iter().map(longer).collect::<Vec<_>>()
                })
                .collect();
        }
        rows.extend(products.into_iter().map(|sets| Row {
            name: match sets.is_empty() {
                true => AS_IT_IS.into(),
                false => sets.join(", "),
            },
            sets,
        }));
    }
    for text in single {
        rows.push(row(text)?);
    }
    for (place, row) in rows.iter().enumerate() {
        refuse_own(&row.sets)?;
        if rows[..place].iter().any(|before| before.name == row.name) {
            let name = row.name.clone();
            return Err(SweepError::SameRow { name });
        }
    }
    Ok(rows)
}

/// The assignments of `section.key=VALUE,VALUE,…`, one for each value.
fn axis(text: &str) -> Result<Vec<String>, SweepError> {
    let malformed = || SweepError::Vary { given: text.into() };
    let (key, values) = text.split_once('=').ok_or_else(malformed)?;
    let values = split(values);
    if values.iter().any(|value| value.is_empty()) {
        return Err(malformed());
    }
    let sets = values.iter().map(|value| format!("{}={value}", key.trim()));
    let sets: Vec<String> = sets.collect();
    check(&sets)?;
    Ok(sets)
}

/// The row of `[NAME: ]section.key=value,section.key=value,…`.
fn row(text: &str) -> Result<Row, SweepError> {
    let malformed = || SweepError::Row { given: text.into() };
    let begins = |text: &str| {
        let key = text.split_once('=').map(|(key, _)| key.trim());
        key.is_some_and(|key| key.contains('.') && !key.contains([' ', ':', ',']))
    };
    // A name may have anything in it, and ends where a setting begins.
    let mut colons = text.match_indices(':').map(|(colon, _)| colon);
    let (name, rest) = match begins(text) {
        true => (None, text),
        false => {
            let end = colons.find(|&colon| begins(&text[colon + 1..]));
            let end = end.ok_or_else(malformed)?;
            (Some(text[..end].trim()), &text[end + 1..])
        }
    };
    let sets = split(rest);
    if name == Some("") || sets.iter().any(|set| !set.contains('=')) {
        return Err(malformed());
    }
    check(&sets)?;
    Ok(Row {
        name: name.map_or_else(|| sets.join(", "), str::to_owned),
        sets,
    })
}

/// Refuses keys that do not exist and values of a wrong type. Whether values make sense together is told cell by cell.
fn check(sets: &[String]) -> Result<(), SweepError> {
    let mut nothing = Table::new();
    for set in sets {
        config::set(&mut nothing, set)?;
    }
    Ok(())
}

/// Refuses settings that are the sweep's own.
pub(super) fn refuse_own(sets: &[String]) -> Result<(), SweepError> {
    for set in sets {
        match key_of(set) {
            "run.seed" => return Err(SweepError::Seed),
            "run.rollbacks" => return Err(SweepError::Rollbacks),
            _ => {}
        }
    }
    Ok(())
}

/// The key of an assignment.
pub(super) fn key_of(set: &str) -> &str {
    set.split_once('=').map_or(set, |(key, _)| key).trim()
}

/// The pieces of `text` between commas that stand outside brackets and quotes, without spaces around them.
fn split(text: &str) -> Vec<String> {
    let (mut pieces, mut piece) = (Vec::new(), String::new());
    let (mut depth, mut quote, mut escaped) = (0_usize, None, false);
    for character in text.chars() {
        match (quote, character) {
            (Some('"'), '\\') if !escaped => escaped = true,
            (Some(open), _) if character == open && !escaped => quote = None,
            (Some(_), _) => escaped = false,
            (None, '"' | '\'') => quote = Some(character),
            (None, '[' | '{') => depth += 1,
            (None, ']' | '}') => depth = depth.saturating_sub(1),
            (None, ',') if depth == 0 => {
                pieces.push(std::mem::take(&mut piece));
                continue;
            }
            (None, _) => {}
        }
        piece.push(character);
    }
    pieces.push(piece);
    pieces.iter().map(|piece| piece.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn several_axes_give_all_combinations_and_rows_come_after_them() {
        let vary = strings(&["snapshot.interval=1, 10,adaptive", "sampler.jumps=0,5"]);
        let single = strings(&[
            "average, K = 1: snapshot.kind=ema,snapshot.decay=0.9",
            "data.range=[0, 1]",
        ]);
        let found = rows(&vary, &single).unwrap();
        assert_eq!(found.len(), 8);
        assert_eq!(found[1].name, "snapshot.interval=1, sampler.jumps=5");
        assert_eq!(
            found[5].sets,
            strings(&["snapshot.interval=adaptive", "sampler.jumps=5"])
        );
        assert_eq!(found[6].name, "average, K = 1");
        assert_eq!(
            found[6].sets,
            strings(&["snapshot.kind=ema", "snapshot.decay=0.9"])
        );
        assert_eq!(found[7].sets, strings(&["data.range=[0, 1]"]));
        assert_eq!(rows(&[], &[]).unwrap()[0].sets, Vec::<String>::new());
    }

    #[test]
    fn commas_in_lists_and_quotes_split_nothing() {
        let layers = "network.layers=[{dense=8}, {dense=1}],[{dense=4}, {dense=1}]";
        assert_eq!(axis(layers).unwrap().len(), 2);
        assert_eq!(
            split(r#""a\",b",'c,d', e"#),
            strings(&[r#""a\",b""#, "'c,d'", "e"])
        );
    }

    #[test]
    fn what_varies_nothing_is_refused() {
        for vary in [
            "snapshot.interval",
            "snapshot.interval=",
            "snapshot.interval=1,,2",
            "snapshot.intervall=1,2",
            "snapshot.interval=1,often",
            "run.seed=1,2",
            "run.rollbacks=1,2",
            "sampler.jumps=1,1",
        ] {
            assert!(rows(&strings(&[vary]), &[]).is_err(), "{vary}");
        }
        let twice = strings(&["sampler.jumps=1", "sampler.jumps=2"]);
        assert!(rows(&twice, &[]).is_err());
        for single in [
            "fast",
            "fast: sampler.jumps",
            ": sampler.jumps=1",
            "sampler.jumps=1,2",
        ] {
            assert!(rows(&[], &strings(&[single])).is_err(), "{single}");
        }
    }
}
