//! `POST /orders` over HTTP/1.1, as cheap as it can be: it shares the machine with what it measures. The
//! request's bytes are made once, only the buyer changes; of the answer the head is read and the body skipped.

use std::{cell::Cell, io, net::SocketAddr, rc::Rc, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use super::{Answer, Caller};

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Room for an answer; a longer one makes it grow.
const ANSWER_LEN: usize = 4_096;
/// Header lines of an answer at most.
const HEADERS_MAX: usize = 32;
/// A buyer's number is written into the last twelve digits of the id.
const BUYER: &str = "00000000-0000-4000-8000-000000000000";
const DIGITS: usize = 12;

/// The bytes of a request, with a place for the buyer.
#[derive(Debug, Clone)]
pub struct Order {
    bytes: Vec<u8>,
    digits_at: usize,
}

impl Order {
    /// One unit of `product_id`, from a server at `address`.
    pub fn new(address: SocketAddr, product_id: &str) -> Self {
        let body = format!(r#"{{"items":[{{"product_id":"{product_id}","quantity":1}}]}}"#);
        let head = format!(
            "POST /orders HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\nx-user-id: ",
            body.len()
        );
        let digits_at = head.len() + BUYER.len() - DIGITS;
        let bytes = format!("{head}{BUYER}\r\n\r\n{body}").into_bytes();
        Self { bytes, digits_at }
    }

    fn set_buyer(&mut self, number: u64) {
        let mut rest = number;
        for digit in self.bytes[self.digits_at..][..DIGITS].iter_mut().rev() {
            *digit = b'0' + u8::try_from(rest % 10).unwrap_or_default();
            rest /= 10;
        }
    }
}

/// Buyers who each order once, shared by all callers of a load.
#[derive(Debug, Default)]
pub struct Buyers(Cell<u64>);

impl Buyers {
    fn next(&self) -> u64 {
        let number = self.0.get() + 1;
        self.0.set(number);
        number
    }
}

/// Whether the server has not closed it meanwhile, as it does with a connection that has nothing to say.
fn is_open(stream: &TcpStream) -> bool {
    let read = stream.try_read(&mut [0]);
    read.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
}

/// Whether this is what using a closed connection ends with.
fn is_closed(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), BrokenPipe | ConnectionReset | UnexpectedEof)
}

/// One connection that orders again and again. It connects when it must, and again after it was closed.
#[derive(Debug)]
pub struct Connection {
    address: SocketAddr,
    stream: Option<TcpStream>,
    order: Order,
    buyers: Rc<Buyers>,
    answer: Vec<u8>,
}

impl Connection {
    /// As many connections, to be made by their first order.
    pub fn many(
        connections: usize,
        address: SocketAddr,
        product_id: &str,
        buyers: &Rc<Buyers>,
    ) -> Vec<Self> {
        let order = Order::new(address, product_id);
        let connection = || Self {
            address,
            stream: None,
            order: order.clone(),
            buyers: Rc::clone(buyers),
            answer: Vec::with_capacity(ANSWER_LEN),
        };
        (0..connections).map(|_| connection()).collect()
    }

    async fn order(&mut self) -> io::Result<u16> {
        self.order.set_buyer(self.buyers.next());
        if let Some(stream) = self.stream.take().filter(is_open) {
            let answer = self.ask(stream).await;
            if !answer.as_ref().is_err_and(is_closed) || !self.answer.is_empty() {
                return answer;
            }
            // The server closed it just then; it has not read what came too late.
        }
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        self.ask(stream).await
    }

    async fn ask(&mut self, mut stream: TcpStream) -> io::Result<u16> {
        self.answer.clear();
        stream.write_all(&self.order.bytes).await?;
        let head = self.read(&mut stream).await?;
        if !head.closes {
            self.stream = Some(stream);
        }
        Ok(head.status)
    }

    /// Reads one whole answer.
    async fn read(&mut self, stream: &mut TcpStream) -> io::Result<Head> {
        let head = loop {
            if stream.read_buf(&mut self.answer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if let Some(head) = Head::read(&self.answer)? {
                break head;
            }
        };
        while self.answer.len() < head.answer_len {
            if stream.read_buf(&mut self.answer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(head)
    }
}

impl Caller for Connection {
    async fn call(&mut self) -> Answer {
        match timeout(TIMEOUT, self.order()).await {
            Ok(Ok(202)) => Answer::Won,
            Ok(Ok(409)) => Answer::Lost,
            Ok(Ok(status)) => Answer::Failed(status.to_string()),
            Ok(Err(error)) => Answer::Failed(error.kind().to_string()),
            Err(_) => Answer::Failed("timeout".to_owned()),
        }
    }
}

/// What of an answer's head matters.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    status: u16,
    /// Head and body together.
    answer_len: usize,
    closes: bool,
}

impl Head {
    /// `None` while the head is not complete.
    fn read(bytes: &[u8]) -> io::Result<Option<Self>> {
        let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
        let mut answer = httparse::Response::new(&mut headers);
        let parsed = answer.parse(bytes).map_err(io::Error::other)?;
        let httparse::Status::Complete(head_len) = parsed else {
            return Ok(None);
        };
        let value = |name: &str| {
            let header = answer
                .headers
                .iter()
                .find(|h| h.name.eq_ignore_ascii_case(name));
            header.map(|header| header.value)
        };
        let body_len =
            value("content-length").map(|text| std::str::from_utf8(text).map(str::parse));
        let Some(Ok(Ok(body_len))) = body_len else {
            return Err(io::Error::other("an answer without content-length"));
        };
        let body_len: usize = body_len;
        Ok(Some(Self {
            status: answer.code.unwrap_or_default(),
            answer_len: head_len + body_len,
            closes: value("connection").is_some_and(|text| text.eq_ignore_ascii_case(b"close")),
        }))
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn a_request_differs_from_the_next_by_its_buyer_alone() {
        let mut order = Order::new("127.0.0.1:80".parse().unwrap(), "p");
        let first = order.bytes.clone();
        order.set_buyer(123_456_789_012);
        let text = String::from_utf8(order.bytes.clone()).unwrap();
        assert!(text.contains("x-user-id: 00000000-0000-4000-8000-123456789012\r\n\r\n{"));
        let body = text.split("\r\n\r\n").nth(1).unwrap();
        assert!(text.contains(&format!("content-length: {}\r\n", body.len())));
        order.set_buyer(0);
        assert_eq!(order.bytes, first);
    }

    #[test]
    fn a_head_is_read_once_it_is_complete() {
        let answer =
            b"HTTP/1.1 409 Conflict\r\ncontent-length: 5\r\nConnection: close\r\n\r\nhello";
        assert_eq!(Head::read(&answer[..30]).unwrap(), None);
        let head = Head::read(answer).unwrap().unwrap();
        assert_eq!((head.status, head.answer_len), (409, answer.len()));
        assert!(head.closes);
        assert!(Head::read(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }

    /// Answers each request with what is next in `answers`; an empty one closes the connection.
    async fn serve(listener: TcpListener, answers: Vec<&'static [&'static str]>) {
        for on_one_connection in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            for answer in on_one_connection {
                let mut request = Vec::new();
                while !request.ends_with(b"}") {
                    stream.read_buf(&mut request).await.unwrap();
                }
                for piece in answer.split_inclusive('|') {
                    let piece = piece.trim_end_matches('|');
                    stream.write_all(piece.as_bytes()).await.unwrap();
                    tokio::task::yield_now().await;
                }
            }
        }
    }

    #[tokio::test]
    async fn answers_in_pieces_and_closed_connections_are_understood() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(serve(
            listener,
            vec![
                &[
                    "HTTP/1.1 202 Accepted\r\ncontent-le|ngth: 4\r\n\r\nbo|dy",
                    "HTTP/1.1 503 Busy\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
                ],
                &["HTTP/1.1 409 Conflict\r\ncontent-length: 0\r\n\r\n"],
            ],
        ));
        let buyers = Rc::new(Buyers::default());
        let mut connection = Connection::many(1, address, "p", &buyers).remove(0);
        assert_eq!(connection.call().await, Answer::Won);
        assert_eq!(connection.call().await, Answer::Failed("503".to_owned()));
        assert_eq!(connection.call().await, Answer::Lost);
        server.await.unwrap();
        assert!(matches!(connection.call().await, Answer::Failed(_)));
        assert_eq!(buyers.next(), 5);
    }

    #[tokio::test]
    async fn a_connection_that_was_closed_while_it_was_free_is_made_anew() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let won: &[&str] = &["HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n"];
        let server = tokio::spawn(serve(listener, vec![won, won]));
        let mut connection = Connection::many(1, address, "p", &Rc::default()).remove(0);
        assert_eq!(connection.call().await, Answer::Won);
        let stream = connection.stream.as_ref().unwrap();
        stream.readable().await.unwrap();
        assert_eq!(connection.call().await, Answer::Won);
        server.await.unwrap();
    }
}
