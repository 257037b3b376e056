//! HEAD, wherever GET is.

use crate::support::{Actor, Answer, App, FEED, Raw, on_both_stores, path};
use reqwest::Method;
use std::time::Duration;
use tokio::time::timeout;

/// The answer to a GET and that to a HEAD, which differ in their content alone.
async fn both(who: &Actor, target: &str, status: u16) -> [Answer; 2] {
    let ask = async |method| {
        let request = who.request(method, target).bearer_auth(&who.id_token);
        who.send(request).await.expect(status)
    };
    [ask(Method::GET).await, ask(Method::HEAD).await]
}

on_both_stores! {
    async fn head_is_answered_wherever_get_is(app: App, "http.metrics_listen = '127.0.0.1:0'") {
        let ann = app.sign_up("ann").await;
        let collector = app.actor_at(&format!("http://{}", app.metrics.unwrap()));
        let document = ann.send(ann.request(Method::GET, "/openapi.json")).await.expect(200).json();
        let described = document["paths"].as_object().unwrap().iter().filter(|(_, item)| item["get"].is_object());
        let mut targets: Vec<(&Actor, &str)> = described.map(|(target, _)| (&ann, target.as_str())).collect();
        // It needs more than a token, and has a test of its own.
        targets.retain(|(_, target)| !target.ends_with("/export"));
        assert!(targets.iter().any(|(_, target)| *target == FEED), "the document is read");
        targets.push((&collector, "/metrics"));
        for (who, target) in targets {
            let [get, head] = both(who, target, 200).await;
            assert!(!get.text.is_empty() && head.text.is_empty(), "{target}");
            let names = |answer: &Answer| {
                let mut names: Vec<_> = answer.headers.keys().map(|name| name.as_str().to_owned()).collect();
                names.sort();
                names
            };
            assert_eq!(names(&head), names(&get), "{target}");
            // What is measured changes meanwhile.
            let length = (target != "/metrics").then_some("content-length");
            for name in ["content-type", "cache-control", "etag"].into_iter().chain(length) {
                // The feed is signed anew each second.
                assert_eq!(head.header(name), get.header(name), "{target}: {name}");
            }
        }
        both(&app.anon(), &path("/me"), 401).await;
        both(&ann, "/nothing", 404).await;
        both(&ann, &format!("{FEED}?wait=x"), 400).await;
        both(&ann, &path("/signout"), 405).await;
    }

    async fn a_head_answer_has_no_content_and_its_connection_goes_on(app: App) {
        let mut client = Raw::connect(&app).await;
        let accept = ["*/*", "text/event-stream"];
        for (target, accept) in [FEED, "/health/live", "/docs"].into_iter().zip(accept.into_iter().cycle()).chain([(FEED, accept[1])]) {
            client.send(&format!("HEAD {target} HTTP/1.1\r\nHost: localhost\r\nAccept: {accept}\r\n\r\n")).await;
            let answer = timeout(Duration::from_secs(5), client.head()).await.expect("an answer at once");
            assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("\r\n\r\n"), "{target}: {answer}");
        }
    }
}
