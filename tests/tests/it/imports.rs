//! No import cycles: in every crate of the workspace the files import each other in one direction only.
//!
//! An import is a `crate::`, `super::` or `self::` path, or one that begins with a name brought in by such a path. It
//! counts as an import of the file that defines the name: a `mod.rs` that only passes a name on is looked through. A
//! parent may name its children. Tests inside of the files do not count.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A file of a crate: its module path (`["http", "body"]`), the names it imports, and every path it mentions.
#[derive(Default)]
struct Source {
    children: BTreeSet<String>,
    /// Name in this file → absolute path it stands for.
    names: BTreeMap<String, Vec<String>>,
    /// Absolute paths within the crate.
    mentioned: Vec<Vec<String>>,
}

type Crate = BTreeMap<Vec<String>, Source>;

/// Reads every file below `root` (a crate's `src`).
fn read(root: &Path) -> Crate {
    let mut files = Vec::new();
    collect(root, &mut files);
    let texts: BTreeMap<Vec<String>, String> = files
        .iter()
        .map(|file| (module_of(root, file), without_tests(&fs::read_to_string(file).unwrap())))
        .collect();
    parse(&texts)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && path
                .file_stem()
                .is_none_or(|stem| stem != "main" && !stem.to_string_lossy().ends_with("tests"))
        {
            files.push(path);
        }
    }
}

fn module_of(root: &Path, file: &Path) -> Vec<String> {
    let relative = file.strip_prefix(root).unwrap().with_extension("");
    let mut steps: Vec<String> = relative.iter().map(|step| step.to_string_lossy().into_owned()).collect();
    if steps.last().is_some_and(|last| last == "mod" || last == "lib") {
        steps.pop();
    }
    steps
}

/// The file without its `#[cfg(test)]` module, comments and texts.
fn without_tests(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let code = |line: &str| line.split("//").next().unwrap_or_default().to_owned();
    let lines: Vec<String> = text.lines().map(code).collect();
    let odd: Vec<String> = lines.join("\n").split('"').step_by(2).map(str::to_owned).collect();
    odd.join(" ")
}

fn parse(texts: &BTreeMap<Vec<String>, String>) -> Crate {
    let mut sources = Crate::new();
    for module in texts.keys() {
        let child = |other: &&Vec<String>| other.len() == module.len() + 1 && other.starts_with(module);
        let children = texts.keys().filter(child).filter_map(|other| other.last().cloned()).collect();
        sources.insert(module.clone(), Source { children, ..Source::default() });
    }
    for (module, text) in texts {
        let children = sources[module].children.clone();
        let source = sources.get_mut(module).unwrap();
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once("use ") {
            let begins = before.chars().next_back().is_none_or(|c| !c.is_alphanumeric() && c != '_');
            let Some((tree, after)) = after.split_once(';').filter(|_| begins) else {
                rest = after;
                continue;
            };
            for (path, name) in leaves(tree) {
                if let Some(path) = absolute(module, &children, &path) {
                    source.names.insert(name, path.clone());
                    source.mentioned.push(path);
                }
            }
            rest = after;
        }
        for path in inline_paths(text) {
            // `area::name`, where `area` was brought in by a `use`.
            let brought_in = path.first().and_then(|first| source.names.get(first));
            let path = match brought_in {
                Some(base) => Some(base.iter().chain(&path[1..]).cloned().collect()),
                None => absolute(module, &children, &path),
            };
            source.mentioned.extend(path);
        }
    }
    sources
}

/// The leaves of a use tree with the name each has in the file: `a::{b, c as d}` → `a::b`/`b`, `a::c`/`d`.
fn leaves(tree: &str) -> Vec<(Vec<String>, String)> {
    let tree = tree.trim();
    if let Some((head, inner)) = tree.split_once('{') {
        let head: Vec<String> = steps(head);
        let inner = inner.rsplit_once('}').map_or(inner, |(inner, _)| inner);
        let mut all = Vec::new();
        for part in split(inner) {
            for (path, name) in leaves(part) {
                let path: Vec<String> = head.iter().cloned().chain(path).collect();
                let name = if name == "self" { head.last().cloned().unwrap_or_default() } else { name };
                all.push((path.into_iter().filter(|step| step != "self" || head.is_empty()).collect(), name));
            }
        }
        return all;
    }
    let (path, alias) =
        tree.split_once(" as ").map_or((tree, None), |(path, alias)| (path, Some(alias.trim())));
    let path = steps(path);
    let Some(last) = path.last().cloned() else { return Vec::new() };
    vec![(path, alias.map_or(last, str::to_owned))]
}

/// At the commas that stand outside of braces.
fn split(inner: &str) -> Vec<&str> {
    let (mut depth, mut from, mut parts) = (0_usize, 0, Vec::new());
    for (at, c) in inner.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(&inner[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&inner[from..]);
    parts.into_iter().filter(|part| !part.trim().is_empty()).collect()
}

fn steps(path: &str) -> Vec<String> {
    path.split("::").map(str::trim).filter(|step| !step.is_empty()).map(str::to_owned).collect()
}

/// Every `a::b` of the text.
fn inline_paths(text: &str) -> Vec<Vec<String>> {
    let part_of_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    text.split(|c| !part_of_path(c)).filter(|path| path.contains("::")).map(steps).collect()
}

/// The path from the crate's root, if it leads into the crate.
fn absolute(module: &[String], children: &BTreeSet<String>, path: &[String]) -> Option<Vec<String>> {
    let first = path.first()?;
    let mut base = module.to_vec();
    let mut rest = path;
    match first.as_str() {
        "crate" => {
            base.clear();
            rest = &path[1..];
        }
        "self" => rest = &path[1..],
        "super" => {
            while rest.first().is_some_and(|step| step == "super") {
                base.pop()?;
                rest = &rest[1..];
            }
        }
        child if children.contains(child) => {}
        _ => return None,
    }
    base.extend(rest.iter().cloned());
    Some(base)
}

/// The file that defines what the path names.
fn definition(sources: &Crate, path: &[String]) -> Option<Vec<String>> {
    let (mut path, mut hops) = (path.to_vec(), 0);
    loop {
        let file =
            (0..=path.len()).rev().map(|length| &path[..length]).find(|head| sources.contains_key(*head))?;
        let Some(name) = path.get(file.len()) else { return Some(file.to_vec()) };
        let Some(passed_on) = sources[file].names.get(name).filter(|_| hops < 8) else {
            return Some(file.to_vec());
        };
        let tail = path[file.len() + 1..].to_vec();
        path = passed_on.iter().cloned().chain(tail).collect();
        hops += 1;
    }
}

/// Groups of files that import each other in a circle.
fn circles(sources: &Crate) -> Vec<Vec<String>> {
    let mut imports: BTreeMap<Vec<String>, BTreeSet<Vec<String>>> = BTreeMap::new();
    for (module, source) in sources {
        let all = source.mentioned.iter().filter_map(|path| definition(sources, path));
        // A parent is made of its children: that it names them is no import.
        imports.insert(module.clone(), all.filter(|other| !other.starts_with(module)).collect());
    }
    let reached = |from: &Vec<String>| {
        let (mut seen, mut open) = (BTreeSet::new(), vec![from.clone()]);
        while let Some(file) = open.pop() {
            for next in imports.get(&file).into_iter().flatten() {
                if seen.insert(next.clone()) {
                    open.push(next.clone());
                }
            }
        }
        seen
    };
    let reach: BTreeMap<_, _> = imports.keys().map(|file| (file.clone(), reached(file))).collect();
    let mut found = BTreeSet::new();
    for (file, seen) in &reach {
        if seen.contains(file) {
            let circle: Vec<String> = seen
                .iter()
                .filter(|other| reach[*other].contains(file))
                .map(|file| if file.is_empty() { "lib".to_owned() } else { file.join("/") })
                .collect();
            found.insert(circle);
        }
    }
    found.into_iter().collect()
}

fn of_texts(texts: &[(&str, &str)]) -> Vec<Vec<String>> {
    let texts = texts.iter().map(|(module, text)| {
        let module = module.split('/').filter(|step| !step.is_empty()).map(str::to_owned).collect();
        (module, without_tests(text))
    });
    circles(&parse(&texts.collect()))
}

#[test]
fn no_crate_has_files_that_import_each_other_in_a_circle() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let mut crates = 0;
    let mut found = Vec::new();
    for entry in fs::read_dir(root).unwrap() {
        let source = entry.unwrap().path().join("src");
        if source.join("lib.rs").is_file() {
            crates += 1;
            let name = source.parent().unwrap().file_name().unwrap().to_string_lossy().into_owned();
            found.extend(
                circles(&read(&source)).into_iter().map(|circle| format!("{name}: {}", circle.join(", "))),
            );
        }
    }
    assert!(crates >= 6, "only {crates} crates were found");
    assert!(found.is_empty(), "files that import each other in a circle:\n{}", found.join("\n"));
}

#[test]
fn a_planted_circle_is_found() {
    let circle = of_texts(&[
        ("", "mod a; mod b;"),
        ("a", "use crate::b::B; pub struct A(B);"),
        ("b", "use std::io; pub struct B; impl B { fn a() -> crate::a::A { todo() } }"),
    ]);
    assert_eq!(circle, [["a", "b"]]);
    let through_a_parent = of_texts(&[
        ("", "mod area; mod other;"),
        ("area", "mod one; mod two; pub use one::One; pub use two::Two;"),
        ("area/one", "use super::Two; pub struct One;"),
        ("area/two", "use crate::{area::{One as First}, other::Other}; pub struct Two;"),
        ("other", "pub struct Other;"),
    ]);
    assert_eq!(through_a_parent, [["area/one", "area/two"]]);
    let through_what_a_parent_defines = of_texts(&[
        ("", "mod area; mod other;"),
        ("area", "mod one; pub use one::go; pub struct Shared(crate::other::Other);"),
        ("area/one", "use super::Shared; pub fn go() {}"),
        ("other", "use crate::area; pub struct Other; fn run() { area::go(); }"),
    ]);
    assert_eq!(through_what_a_parent_defines, [["area", "area/one", "other"]]);
}

#[test]
fn names_that_a_parent_passes_on_and_tests_are_no_circle() {
    let none = of_texts(&[
        ("", "mod area;"),
        ("area", "mod one; mod two; pub use one::One; pub use two::Two;"),
        ("area/one", "pub struct One;\n#[cfg(test)]\nmod tests {\n use super::super::Two; }"),
        ("area/two", "use super::One; // crate::area::Two\npub struct Two(One);"),
    ]);
    assert!(none.is_empty(), "{none:?}");
}
