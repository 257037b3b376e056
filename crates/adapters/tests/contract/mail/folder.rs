//! Templates of a folder.

use super::{config, locale};
use revolve_adapters::mail::{Composer, MailConfig, MailConfigError, TemplateName};
use std::{fs, path::Path};
use tempfile::TempDir;

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let file = folder.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    folder
}

fn with(folder: &Path) -> MailConfig {
    MailConfig {
        templates: Some(folder.to_owned()),
        ..config()
    }
}

#[test]
fn a_file_takes_the_place_of_a_template_and_of_no_other() {
    let folder = folder(&[
        (
            "en/test.txt",
            "{% extends \"en/base.txt\" %}{% block subject %}Hello\n from {{ service }}{% endblock %}\
             {% block text %}To <{{ to }}>.{% endblock %}",
        ),
        (
            "layout.html",
            "<p>{% block text %}{% endblock %}</p>{% block title %}{% endblock %}{% block proof %}{% endblock %}",
        ),
        ("README.md", "Notes."),
        ("en/.test.txt.swp", "{% what an editor leaves"),
    ]);
    let composer = Composer::new(with(folder.path())).unwrap();
    let mail = composer.preview(TemplateName::Test, None).unwrap();
    assert_eq!(mail.subject, "Hello from Example", "in one line");
    assert!(
        mail.text.starts_with("To <ann@example.org>.\n"),
        "{}",
        mail.text
    );
    assert!(
        mail.html.starts_with("<p><p>This is a test"),
        "{}",
        mail.html
    );
    let german = composer.preview(TemplateName::Test, Some(&locale("de")));
    assert_eq!(german.unwrap().subject, "Testnachricht von Example");
}

#[test]
fn a_mistake_is_named_with_its_file_and_line() {
    const CODE: &str = "{{ code }}";
    for (name, text, words) in [
        ("en/sign_in.txt", "\n\n{% if %}", ":3: syntax error"),
        (
            "en/sign_in.txt",
            "{% block subject %}x{% endblock %}\n{{ cod }}",
            ":2: undefined value",
        ),
        (
            "en/sign_in.html",
            "{{ code }}\n{{ to | shout }}",
            ":2: unknown filter",
        ),
        ("en/sign_in.txt", CODE, "block"),
        (
            "en/sign_in.txt",
            "{% block subject %} {% endblock %}{{ code }}",
            "`subject` is empty",
        ),
        ("en/sign_in.html", "hello", "does not show `code`"),
        (
            "en/base.html",
            "{% extends \"nowhere.html\" %}",
            "nowhere.html",
        ),
        ("en/sing_in.txt", CODE, "no template has this name"),
        ("frame.html", CODE, "no template has this name"),
    ] {
        let folder = folder(&[(name, text)]);
        let error = Composer::new(with(folder.path())).unwrap_err();
        assert!(matches!(error, MailConfigError::Template(_)), "{error:?}");
        let said = error.to_string();
        let file = folder.path().join(name).display().to_string();
        assert!(
            said.starts_with("templates: ") && said.contains(&file) && said.contains(words),
            "{name} {text:?}: {said}"
        );
    }
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let error = Composer::new(with(Path::new("/nowhere")))
        .unwrap_err()
        .to_string();
    assert!(error.contains("/nowhere can't be read"), "{error}");
}

#[test]
fn another_language_needs_every_template() {
    let english = |file: &str| {
        let templates = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/mail/templates/en");
        let text = fs::read_to_string(templates.join(file)).unwrap();
        text.replace("\"en/", "\"fr/")
    };
    let folder = folder(&[("fr/base.txt", "")]);
    let french = || MailConfig {
        languages: vec![locale("fr")],
        ..with(folder.path())
    };
    let error = Composer::new(french()).unwrap_err().to_string();
    assert!(error.contains("fr/sign_up.txt is missing"), "{error}");
    for name in TemplateName::all()
        .map(TemplateName::as_str)
        .chain(["base"])
    {
        for file in [format!("{name}.txt"), format!("{name}.html")] {
            fs::write(folder.path().join("fr").join(&file), english(&file)).unwrap();
        }
    }
    let composer = Composer::new(french()).unwrap();
    let mail = composer
        .preview(TemplateName::Test, Some(&locale("de")))
        .unwrap();
    assert!(mail.html.contains("<html lang=\"fr\">"), "{}", mail.html);
}
