//! Log lines as JSON objects, one per line, flat: the fields of the spans around an event stand beside its own, so
//! that a collector finds `request_id` or `user` in every line of a request by the same name.

use serde_json::Value;
use std::{fmt::Debug, io::Write};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    Layer,
    fmt::{
        MakeWriter,
        format::Writer,
        time::{FormatTime, SystemTime},
    },
    layer::Context,
    registry::LookupSpan,
};

/// Writes the lines.
pub(super) struct Lines<W> {
    to: W,
}

/// Names and values in the order in which they were recorded; each name once.
#[derive(Default)]
struct Fields(Vec<(&'static str, Value)>);

impl<W> Lines<W> {
    pub(super) fn new(to: W) -> Self {
        Self { to }
    }
}

impl<S, W> Layer<S> for Lines<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'w> MakeWriter<'w> + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        span.extensions_mut().insert(fields);
    }

    fn on_record(&self, id: &Id, record: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(fields) = span.extensions_mut().get_mut::<Fields>() {
            record.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let meta = event.metadata();
        let mut line = JsonLine::begin();
        let mut said = Fields::default();
        event.record(&mut said);
        line.text("level", meta.level().as_str());
        line.text("target", meta.target());
        let mut names = vec!["timestamp", "level", "target"];
        line.fields(&said, &mut names);
        // From the event outward: what is nearer counts.
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(fields) = span.extensions().get::<Fields>() {
                line.fields(fields, &mut names);
            }
        }
        // A line that can't be written has nowhere to be reported.
        drop(self.to.make_writer_for(meta).write_all(&line.end()));
    }
}

/// A line in the making.
struct JsonLine(Vec<u8>);

impl JsonLine {
    fn begin() -> Self {
        let mut now = String::with_capacity(32);
        // Writing to a string does not fail; the time is left empty if it can't be told.
        let _ = SystemTime.format_time(&mut Writer::new(&mut now));
        let mut bytes = Vec::with_capacity(512);
        bytes.extend_from_slice(b"{\"timestamp\":\"");
        bytes.extend_from_slice(now.as_bytes());
        bytes.push(b'"');
        Self(bytes)
    }

    fn text(&mut self, name: &str, text: &str) {
        self.name(name);
        // Texts and numbers can always be written.
        drop(serde_json::to_writer(&mut self.0, text));
    }

    fn fields(&mut self, fields: &Fields, names: &mut Vec<&'static str>) {
        for (name, value) in &fields.0 {
            if !names.contains(name) {
                names.push(name);
                self.name(name);
                drop(serde_json::to_writer(&mut self.0, value));
            }
        }
    }

    fn name(&mut self, name: &str) {
        self.0.push(b',');
        drop(serde_json::to_writer(&mut self.0, name));
        self.0.push(b':');
    }

    fn end(mut self) -> Vec<u8> {
        self.0.extend_from_slice(b"}\n");
        self.0
    }
}

impl Fields {
    fn set(&mut self, field: &Field, value: Value) {
        let name = field.name();
        // Meant for the exporter of traces alone; `log.…` repeats what the line says anyway.
        if name.starts_with("otel.") || name.starts_with("log.") {
            return;
        }
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name, value)),
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.set(field, format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field, value.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use revolve_testkit::Captured;
    use serde_json::json;
    use tracing::{field::Empty, info, info_span};
    use tracing_subscriber::{Registry, layer::SubscriberExt};

    #[test]
    fn a_line_is_flat_and_says_each_thing_once() {
        let page = Captured::default();
        tracing::subscriber::with_default(
            Registry::default().with(Lines::new(page.writer())),
            || {
                let request = info_span!(
                    "request",
                    method = "GET",
                    user = Empty,
                    session = 1,
                    otel.kind = "server"
                );
                request.record("user", "ann");
                let _request = request.entered();
                let _store = info_span!("store", operation = "find").entered();
                info!(session = 2, ok = true, seconds = 0.5, "it said \"so\"\n");
            },
        );
        let text = page.text();
        assert_eq!(text.lines().count(), 1, "{text}");
        let mut line: Value = serde_json::from_str(&text).unwrap();
        assert!(line["timestamp"].take().as_str().unwrap().ends_with('Z'));
        let expected = json!({
            "timestamp": null, "level": "INFO", "target": module_path!(), "message": "it said \"so\"\n", "ok": true, "seconds": 0.5,
            "session": 2, "operation": "find", "method": "GET", "user": "ann",
        });
        assert_eq!(line, expected);
        assert_eq!(text.matches("\"session\"").count(), 1, "{text}");
    }
}
