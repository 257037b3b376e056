//! Templates in the form of Jinja: those that are built in, and those of a folder in their place.

use super::{builtin::TEMPLATES, variables::line};
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, syntax::SyntaxConfig};
use revolve_domain::{journal::MailKind, model::Locale};
use std::{
    borrow::Cow,
    collections::BTreeMap,
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Which mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TemplateName {
    /// One that accounts cause.
    Kind(MailKind),
    /// One that an operator asks for, to see whether mail works.
    Test,
}

impl TemplateName {
    /// Every name.
    pub fn all() -> impl Iterator<Item = Self> {
        let kinds = MailKind::ALL.iter().copied().map(Self::Kind);
        kinds.chain([Self::Test])
    }

    /// The name of its files, without language and extension.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Kind(kind) => kind.as_str(),
            Self::Test => "test",
        }
    }
}

/// What a mail says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderedMail {
    /// In one line.
    pub subject: String,
    /// For programs that show no HTML. Lines end with `\n`.
    pub text: String,
    /// The same as HTML.
    pub html: String,
}

/// A template is wrong, or missing.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// The folder or a file in it can't be read.
    #[error("{} can't be read: {source}", .path.display())]
    Unreadable {
        /// The folder or file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file of the folder has a name that no template has.
    #[error("{}: no template has this name; there are {known}", .path.display())]
    Unknown {
        /// The file.
        path: PathBuf,
        /// The names that there are.
        known: String,
    },
    /// It can't be read as a template, or uses what there is not.
    #[error("{place}: {message}")]
    Wrong {
        /// File and line.
        place: String,
        /// What is wrong, without the values of variables.
        message: String,
    },
    /// A language has not all of them.
    #[error("{language}/{name} is missing: a language that is not built in needs every template")]
    Missing {
        /// The language.
        language: String,
        /// The file's name.
        name: String,
    },
}

/// All templates. Each is compiled when it is first asked for, since a compiled one takes some 70 KiB.
pub(super) struct Templates {
    environment: Environment<'static>,
    /// The texts by name.
    texts: Arc<BTreeMap<String, Cow<'static, str>>>,
    /// Those that come from the folder.
    files: BTreeMap<String, PathBuf>,
    languages: Vec<Locale>,
}

impl fmt::Debug for Templates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Templates")
            .field("languages", &self.languages)
            .finish_non_exhaustive()
    }
}

impl Templates {
    /// Reads the folder, if there is one. The first language is that of readers whose own there is not; there is at least one.
    pub(super) fn load(
        folder: Option<&Path>,
        languages: Vec<Locale>,
    ) -> Result<Self, TemplateError> {
        let mut environment = Environment::new();
        environment.set_debug(true);
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|name| {
            if Path::new(name).extension().is_some_and(|end| end == "html") {
                AutoEscape::Html
            } else {
                AutoEscape::None
            }
        });
        let syntax = SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .build();
        if let Ok(syntax) = syntax {
            environment.set_syntax(syntax);
        }
        let files = folder.map(files).transpose()?.unwrap_or_default();
        let texts = Arc::new(texts(&files)?);
        let loaded = Arc::clone(&texts);
        environment.set_loader(move |name| Ok(loaded.get(name).map(ToString::to_string)));
        let templates = Self {
            environment,
            texts,
            files,
            languages,
        };
        for name in templates.files.keys() {
            let compiled = templates.environment.get_template(name);
            compiled.map_err(|error| templates.wrong(name, &error))?;
        }
        templates.complete()?;
        Ok(templates)
    }

    /// Whether every language has every template.
    fn complete(&self) -> Result<(), TemplateError> {
        for language in &self.languages {
            for name in TemplateName::all() {
                for form in ["txt", "html"] {
                    let file = format!("{}.{form}", name.as_str());
                    if !self.texts.contains_key(&format!("{language}/{file}")) {
                        return Err(TemplateError::Missing {
                            language: language.to_string(),
                            name: file,
                        });
                    }
                }
            }
        }
        Ok(())
    }

    /// The languages, the service's own first.
    pub(super) fn languages(&self) -> &[Locale] {
        &self.languages
    }

    /// The language for a reader: the very same, else one that differs in script or region, else the first.
    pub(super) fn language(&self, reader: Option<&Locale>) -> &str {
        let same = |reader: &Locale| self.languages.iter().find(|language| *language == reader);
        let near = |reader: &Locale| {
            let near = |language: &&Locale| language.language() == reader.language();
            self.languages.iter().find(near)
        };
        reader
            .and_then(|reader| same(reader).or_else(|| near(reader)))
            .or(self.languages.first())
            .map_or("en", Locale::as_str)
    }

    pub(super) fn render(
        &self,
        name: TemplateName,
        language: &str,
        variables: &Value,
    ) -> Result<RenderedMail, TemplateError> {
        let name = name.as_str();
        let (subject, text) = self.text(&format!("{language}/{name}.txt"), variables)?;
        let page = format!("{language}/{name}.html");
        let html = self
            .environment
            .get_template(&page)
            .and_then(|template| template.render(variables))
            .map_err(|error| self.wrong(&page, &error))?;
        Ok(RenderedMail {
            subject: line(&subject),
            text: tidy(&text),
            html: tidy(&html),
        })
    }

    fn text(&self, name: &str, variables: &Value) -> Result<(String, String), TemplateError> {
        let rendered = self
            .environment
            .get_template(name)
            .and_then(|template| template.render_captured(variables));
        let mut rendered = rendered.map_err(|error| self.wrong(name, &error))?;
        let subject = rendered
            .with_state_mut(|state| state.render_block("subject"))
            .map_err(|error| self.wrong(name, &error))?;
        Ok((subject, rendered.into_output()))
    }

    /// Where a template comes from.
    pub(super) fn place(&self, name: &str) -> String {
        self.files.get(name).map_or_else(
            || format!("built-in template {name}"),
            |path| path.display().to_string(),
        )
    }

    /// The innermost error says what is wrong: those around it only that an include or a block failed.
    fn wrong(&self, name: &str, error: &minijinja::Error) -> TemplateError {
        let mut inner = error;
        while let Some(next) = std::error::Error::source(inner)
            .and_then(|source| source.downcast_ref::<minijinja::Error>())
        {
            inner = next;
        }
        let name = inner.name().or(error.name()).unwrap_or(name);
        let line = inner.line().or(error.line());
        let kind = inner.kind().to_string();
        TemplateError::Wrong {
            place: line.map_or_else(
                || self.place(name),
                |line| format!("{}:{line}", self.place(name)),
            ),
            message: inner
                .detail()
                .map_or(kind.clone(), |detail| format!("{kind}: {detail}")),
        }
    }
}

/// Those that are built in, and those of these files in their place.
fn texts(
    files: &BTreeMap<String, PathBuf>,
) -> Result<BTreeMap<String, Cow<'static, str>>, TemplateError> {
    let built_in = TEMPLATES
        .iter()
        .map(|(name, text)| ((*name).to_owned(), Cow::Borrowed(*text)));
    let mut texts: BTreeMap<_, _> = built_in.collect();
    for (name, path) in files {
        let text = fs::read_to_string(path).map_err(|source| TemplateError::Unreadable {
            path: path.clone(),
            source,
        })?;
        texts.insert(name.clone(), text.into());
    }
    Ok(texts)
}

/// The templates of a folder: below it one folder for each language, and files for all of them.
fn files(folder: &Path) -> Result<BTreeMap<String, PathBuf>, TemplateError> {
    let mut found = BTreeMap::new();
    for path in entries(folder)? {
        if path.is_dir() {
            let language = name(&path);
            for path in entries(&path)? {
                found.insert(format!("{language}/{}", name(&path)), path);
            }
        } else {
            found.insert(name(&path), path);
        }
    }
    found.retain(|name, _| is_template(name));
    match found.iter().find(|(name, _)| !is_known(name)) {
        Some((_, path)) => Err(TemplateError::Unknown {
            path: path.clone(),
            known: known(),
        }),
        None => Ok(found),
    }
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, TemplateError> {
    let read = || -> io::Result<Vec<PathBuf>> {
        fs::read_dir(folder)?
            .map(|entry| Ok(entry?.path()))
            .collect()
    };
    read().map_err(|source| TemplateError::Unreadable {
        path: folder.to_owned(),
        source,
    })
}

fn name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// Notes and what editors leave behind are no templates.
fn is_template(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or(name);
    let end = Path::new(file).extension();
    !file.starts_with('.') && end.is_some_and(|end| end == "txt" || end == "html")
}

/// A language may have what a built-in one has.
fn is_known(name: &str) -> bool {
    match name.split_once('/') {
        Some((_, file)) => english().any(|known| known == file),
        None => TEMPLATES.iter().any(|(known, _)| *known == name),
    }
}

fn known() -> String {
    let top = TEMPLATES
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| !name.contains('/'));
    let each = english().map(|file| format!("<language>/{file}"));
    top.map(str::to_owned)
        .chain(each)
        .collect::<Vec<_>>()
        .join(", ")
}

fn english() -> impl Iterator<Item = &'static str> {
    TEMPLATES
        .iter()
        .filter_map(|(name, _)| name.strip_prefix("en/"))
}

/// Without spaces at the ends of lines, but for the mark of a signature, and without more than one empty line: what conditions leave behind.
fn tidy(text: &str) -> String {
    let mut tidy = String::with_capacity(text.len());
    let mut empty = 0;
    for line in text.lines() {
        let line = if line == "-- " { line } else { line.trim_end() };
        if line.is_empty() {
            empty += 1;
            continue;
        }
        if empty > 0 && !tidy.is_empty() {
            tidy.push('\n');
        }
        empty = 0;
        tidy.push_str(line);
        tidy.push('\n');
    }
    tidy
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn both_languages_show_the_same() {
        let languages = ["en", "de"].map(|tag| tag.parse().expect("it is a tag"));
        let templates = Templates::load(None, languages.to_vec()).expect("they are right");
        let shown = |language: &str, file: &str| -> BTreeSet<String> {
            let name = format!("{language}/{file}");
            let template = templates.environment.get_template(&name);
            let variables = template.expect("it is there").undeclared_variables(true);
            variables.into_iter().collect()
        };
        let mut compared = 0;
        for file in english() {
            assert_eq!(shown("en", file), shown("de", file), "{file}");
            compared += 1;
        }
        assert_eq!(compared, 2 * (MailKind::ALL.len() + 2));
    }

    #[test]
    fn what_conditions_leave_behind_is_dropped() {
        assert_eq!(tidy("\n\na  \n\n\n\nb\n-- \nc\n\n"), "a\n\nb\n-- \nc\n");
        assert_eq!(tidy(""), "");
    }
}
