//! A receiver that misbehaves by path, byte for byte, and takes every handshake. Comes in: connections on a free port
//! of 127.0.0.1; goes out: whatever the path says. Never minds that the other side has gone.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// A receiver that misbehaves; it ends with the test's process.
pub(crate) struct Rude {
    pub(crate) address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Rude {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::<AtomicUsize>::default();
        let seen = Arc::clone(&connections);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                seen.fetch_add(1, Ordering::SeqCst);
                std::thread::spawn(move || serve(stream.unwrap()));
            }
        });
        Self {
            address,
            connections,
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// How many connections there were.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// How many connections the other side holds, by what the system says of its sockets: one that it
    /// closed with data on the way is not yet closed for this side.
    pub(crate) fn held(&self) -> usize {
        let port = format!(":{:04X}", self.address.port());
        let table = std::fs::read_to_string("/proc/self/net/tcp").unwrap();
        let held = |line: &&str| {
            let mut fields = line.split_whitespace().skip(2);
            let (remote, state) = (fields.next(), fields.next());
            remote.is_some_and(|remote| remote.ends_with(&port)) && state == Some("01")
        };
        table.lines().filter(held).count()
    }
}

/// Reads one head after the other and does what its path says, until the other side is gone.
fn serve(mut stream: TcpStream) -> io::Result<()> {
    while let Some((path, length)) = head(&mut stream)? {
        if path.ends_with("?handshake=true") {
            stream.read_exact(&mut vec![0; length])?;
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")?;
            continue;
        }
        const CHUNKED: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        let mut say = |text: &str| stream.write_all(text.as_bytes());
        match path.as_str() {
            "/ok" => say("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")?,
            "/large" => say(&format!(
                "HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n{}",
                "x".repeat(100_000)
            ))?,
            "/silent" => {}
            "/trickle" => {
                say("HTTP/1.1 200 OK\r\n\r\n")?;
                loop {
                    stream.write_all(b"x")?;
                    std::thread::sleep(Duration::from_millis(20));
                }
            }
            "/stalls" => say("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab")?,
            // Answers at once, whatever else is still to come, and never reads it.
            "/deaf" => {
                say("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")?;
                std::thread::park();
            }
            "/deaf-and-silent" => std::thread::park(),
            "/endless-headers" => endless(&mut stream, "HTTP/1.1 200 OK\r\n", "a: b\r\n")?,
            "/trickling-headers" => {
                say("HTTP/1.1 200 OK\r\n")?;
                loop {
                    stream.write_all(b"a")?;
                    std::thread::sleep(Duration::from_millis(20));
                }
            }
            "/huge-header" => endless(&mut stream, "HTTP/1.1 200 OK\r\na: ", "bbbb")?,
            "/three-headers" => {
                say("HTTP/1.1 200 OK\r\na: 1\r\nb: 2\r\ncontent-length: 0\r\n\r\n")?;
            }
            "/endless-body" => endless(&mut stream, "HTTP/1.1 200 OK\r\n\r\n", "x")?,
            "/endless-chunks" => {
                let chunk = format!("3e8\r\n{}\r\n", "x".repeat(1000));
                endless(&mut stream, CHUNKED, &chunk)?;
            }
            "/endless-trailers" => {
                endless(&mut stream, &format!("{CHUNKED}0\r\n"), "a: b\r\n")?;
            }
            "/endless-chunk-size" => endless(&mut stream, CHUNKED, "0")?,
            "/wrong-chunk" => say(&format!("{CHUNKED}zz\r\nabc\r\n"))?,
            "/flood-of-1xx" => endless(&mut stream, "", "HTTP/1.1 102 Processing\r\n\r\n")?,
            "/short" => {
                say("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc")?;
                return Ok(());
            }
            "/unended-chunks" => {
                say(&format!("{CHUNKED}3\r\nabc\r\n"))?;
                return Ok(());
            }
            "/two-lengths" => {
                say("HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nabc")?;
            }
            "/garbage" => say("\u{0}\u{1}\u{2} this is not HTTP\r\n\r\n")?,
            "/closes" => return Ok(()),
            "/resets" | "/resets-in-body" => {
                if path == "/resets-in-body" {
                    say("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc")?;
                }
                let socket = socket2::Socket::from(stream);
                return socket.set_linger(Some(Duration::ZERO));
            }
            "/redirects" => say(
                "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n",
            )?,
            path => panic!("no such path: {path}"),
        }
    }
    Ok(())
}

/// The path of the next request and how long it says that its body is; none if there is no request.
fn head(stream: &mut TcpStream) -> io::Result<Option<(String, usize)>> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte)? == 0 {
            return Ok(None);
        }
        head.extend(byte);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let path = head.split(' ').nth(1).map(str::to_owned);
    Ok(path.map(|path| (path, length.unwrap_or_default())))
}

/// Says `begin`, and then `piece` for as long as anyone listens.
fn endless(stream: &mut TcpStream, begin: &str, piece: &str) -> io::Result<()> {
    stream.write_all(begin.as_bytes())?;
    let pieces = piece.repeat(100);
    loop {
        stream.write_all(pieces.as_bytes())?;
    }
}
