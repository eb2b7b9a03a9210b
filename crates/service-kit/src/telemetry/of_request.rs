//! Lines of the log that name the request they belong to.

use std::fmt;

use tracing::{Event, Subscriber};
use tracing_subscriber::{
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::{Format, Full, Json, Writer},
    },
    registry::LookupSpan,
};

use crate::trace::{self, Current};

/// A format of the library, with `trace_id`, `method` and `path` of the request that the line belongs to.
#[derive(Debug)]
pub(super) struct OfRequest<F> {
    format: F,
    add: fn(&mut Writer<'_>, &str, &Current) -> fmt::Result,
}

impl OfRequest<Format<Full>> {
    /// For eyes, in colours or not: they stand at the end of the line.
    pub(super) fn human(has_colours: bool) -> Self {
        Self {
            format: Format::default().with_ansi(has_colours),
            add: |writer, line, request| {
                let Current {
                    context,
                    method,
                    path,
                } = request;
                let line = line.trim_end();
                writeln!(
                    writer,
                    "{line} trace_id={context} method={method} path={path}"
                )
            },
        }
    }
}

impl OfRequest<Format<Json>> {
    /// For programs: they are fields beside those of the event.
    pub(super) fn json() -> Self {
        Self {
            format: Format::default().json().flatten_event(true),
            add: |writer, line, request| {
                let Some(rest) = line.strip_prefix('{') else {
                    return writer.write_str(line);
                };
                let method = serde_json::Value::from(request.method.as_str());
                let path = serde_json::Value::from(&*request.path);
                let id = request.context;
                write!(
                    writer,
                    r#"{{"trace_id":"{id}","method":{method},"path":{path},{rest}"#
                )
            },
        }
    }
}

impl<S, N, F> FormatEvent<S, N> for OfRequest<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let Some(request) = trace::with_current(Current::clone) else {
            return self.format.format_event(context, writer, event);
        };
        let mut line = String::new();
        self.format
            .format_event(context, Writer::new(&mut line), event)?;
        (self.add)(&mut writer, &line, &request)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use tower::{Layer as _, Service as _};
    use tracing_subscriber::fmt::MakeWriter;

    use super::*;
    use crate::trace::TraceLayer;

    const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Log {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl MakeWriter<'_> for Log {
        type Writer = Self;
        fn make_writer(&self) -> Self {
            self.clone()
        }
    }

    /// Logs a line within a request, and one outside.
    async fn log_both() {
        let handler = tower::service_fn(async |_: http::Request<()>| {
            tracing::info!(units = 3, "taken");
            Ok::<_, ()>(())
        });
        let request = http::Request::post("/orders?x=1")
            .header(trace::HEADER, TRACEPARENT)
            .body(())
            .unwrap();
        TraceLayer.layer(handler).call(request).await.unwrap();
        tracing::info!("alone");
    }

    #[tokio::test]
    async fn a_line_for_eyes_ends_with_its_request() {
        let log = Log::default();
        let logs = tracing_subscriber::fmt()
            .with_writer(log.clone())
            .with_ansi(false)
            .event_format(OfRequest::human(false));
        let guard = tracing::subscriber::set_default(logs.finish());
        log_both().await;
        drop(guard);
        let text = log.text();
        let [taken, alone] = text.lines().collect::<Vec<_>>()[..] else {
            panic!("not two lines: {text}");
        };
        let request =
            "taken units=3 trace_id=4bf92f3577b34da6a3ce929d0e0e4736 method=POST path=/orders";
        assert!(taken.ends_with(request), "{taken}");
        assert!(alone.ends_with("alone"), "{alone}");
    }

    #[tokio::test]
    async fn a_line_for_programs_has_its_request_in_fields() {
        let log = Log::default();
        let logs = tracing_subscriber::fmt()
            .with_writer(log.clone())
            .json()
            .event_format(OfRequest::json());
        let guard = tracing::subscriber::set_default(logs.finish());
        log_both().await;
        drop(guard);
        let text = log.text();
        let lines: Vec<serde_json::Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines[0]["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(lines[0]["method"], "POST");
        assert_eq!(lines[0]["path"], "/orders");
        assert_eq!(lines[0]["units"], 3);
        assert_eq!(lines[0]["message"], "taken");
        assert_eq!(lines[1].get("trace_id"), None);
    }
}
