//! The page for people.

use super::{APIS, operations, resolved};
use crate::kit::openapi::render;

#[test]
fn the_pages_show_every_operation_code_and_example() {
    for api in &APIS {
        let (page, document) = (render(&api.described()), api.json());
        let html = std::str::from_utf8(&page.html).unwrap();
        for (method, path, operation) in operations(&document) {
            let id = operation["operationId"].as_str().unwrap();
            assert!(
                html.contains(&format!("<article id=\"{id}\">"))
                    && html.contains(&format!("href=\"#{id}\"")),
                "{method} {path}"
            );
            for code in operation["responses"]
                .as_object()
                .unwrap()
                .values()
                .map(|response| resolved(&document, response))
                .filter_map(|response| response["description"].as_str())
            {
                for code in code.split('`').skip(1).step_by(2) {
                    assert!(html.contains(&format!("<code>{code}</code>")), "{code}");
                }
            }
        }
        assert_eq!(
            html.matches("<article").count(),
            operations(&document).len()
        );
    }
    let page = render(&APIS[0].described());
    let html = std::str::from_utf8(&page.html).unwrap();
    // As many as there are quotes to begin and end it.
    assert!(
        html.contains("Ann&#39;") || html.contains(r"Ann'\''s phone"),
        "a quote in a command is a quote in the shell"
    );
}

#[test]
fn the_pages_ask_nobody_for_anything() {
    for page in APIS.iter().map(|api| render(&api.described())) {
        let html = std::str::from_utf8(&page.html).unwrap();
        for part in [
            "<script",
            "javascript:",
            " src=",
            "@import",
            "url(",
            "<iframe",
            "style=\"",
            "onclick",
        ] {
            assert!(!html.contains(part), "{part}");
        }
        let links: Vec<&str> = html
            .split("href=\"")
            .skip(1)
            .map(|rest| rest.split('"').next().unwrap())
            .collect();
        assert!(
            links
                .iter()
                .all(|link| link.starts_with('#') || ["/openapi.json", "data:,"].contains(link)),
            "{links:?}"
        );
        let policy = page.policy.to_str().unwrap();
        assert!(
            policy.starts_with("default-src 'none'; style-src 'sha256-"),
            "{policy}"
        );
    }
}

#[test]
fn descriptions_have_no_marks_but_code() {
    for document in APIS.iter().map(super::Api::json) {
        let mut texts = vec![document["info"]["description"].as_str().unwrap().to_owned()];
        texts.extend(
            operations(&document)
                .iter()
                .map(|(.., operation)| operation["description"].as_str().unwrap().to_owned()),
        );
        for text in texts {
            assert_eq!(text.matches('`').count() % 2, 0, "{text}");
            // Outside of code, where the sign stands for itself.
            let plain: String = text.split('`').step_by(2).collect();
            assert!(
                !plain.contains(['*', '#', '|', '_', '<']) && !plain.contains("]("),
                "{text}"
            );
        }
    }
}
