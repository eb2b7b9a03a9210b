//! A client of server-sent events, as far as tests need one.

use std::time::Duration;

use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::Value;
use tokio::time::timeout;

/// An event that has not come by then was lost; the stream itself would stay open for long.
const SOON: Duration = Duration::from_secs(60);

/// An open stream.
pub(crate) struct Events {
    pub(crate) response: Response,
    read: String,
}

/// One event with a name.
#[derive(Debug, PartialEq)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) data: Value,
}

/// The events of an order, for `buyer`, as a browser asks for them.
pub(crate) fn ask(url: String, buyer: &str, seen: Option<&str>) -> RequestBuilder {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = client.get(url).header("x-user-id", buyer);
    match seen {
        Some(id) => request.header("last-event-id", id),
        None => request,
    }
}

impl Events {
    pub(crate) async fn open(request: RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        Self {
            response,
            read: String::new(),
        }
    }

    /// The next event that has a name; `None` at the end of the stream.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        let next = timeout(SOON, self.wait()).await;
        next.expect("the event was lost")
    }

    async fn wait(&mut self) -> Option<Event> {
        loop {
            while let Some((block, rest)) = self.read.split_once("\n\n") {
                let event = parse(block);
                self.read = rest.to_owned();
                if event.is_some() {
                    return event;
                }
            }
            let chunk = self.response.chunk().await.unwrap()?;
            self.read.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// The next event's order.
    pub(crate) async fn order(&mut self) -> Value {
        let event = self.next().await.expect("the stream has ended");
        assert_eq!(event.name, "order");
        event.data
    }
}

fn parse(block: &str) -> Option<Event> {
    let field = |name: &str| {
        let mut lines = block.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    };
    Some(Event {
        name: field("event")?.to_owned(),
        id: field("id").unwrap().to_owned(),
        data: serde_json::from_str(field("data").unwrap()).unwrap(),
    })
}
