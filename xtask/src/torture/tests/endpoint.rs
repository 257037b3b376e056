//! A small OAuth 2 token endpoint in memory, whose behaviour can be chosen.

use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use tokio::{
    io::{
        AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _,
        BufReader,
    },
    net::TcpListener,
};

use rustls::pki_types::PrivateKeyDer;

use crate::harness::{args, windows::WindowArgs};

const FREE: Duration = Duration::from_millis(300);
const WINDOW: Duration = Duration::from_millis(900);

/// How it behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Behaviour {
    /// A retry brings the same successor; a replay ends the session; a sign-out is final.
    Sound,
    /// A used token works a while longer, and gets another successor each time.
    Forks,
    /// A used token ends the session at once.
    Strict,
    /// A used token is refused, and the session goes on.
    Forgetful,
    /// A sign-out has no effect.
    Revives,
    /// A sign-out is refused.
    RefusesSignOut,
    /// A used token is refused for a while, and the session goes on; later it ends the session.
    RefusesTabs,
    /// Like a sound one whose windows end 400 ms late.
    Lenient,
    /// A reuse or a sign-out ends all sessions of all users, as if they were one user's.
    EndsFamily,
}

/// The windows that its operator documents.
pub(super) fn windows(behaviour: Behaviour) -> WindowArgs {
    let (free, window, late) = match behaviour {
        Behaviour::Strict
        | Behaviour::Forgetful
        | Behaviour::RefusesTabs
        | Behaviour::EndsFamily => ("0ms", "0ms", "0"),
        _ => ("300ms", "900ms", "2"),
    };
    let words = [
        "--retry-free",
        free,
        "--retry-window",
        window,
        "--bound-retry-window",
        window,
        "--late-retries",
        late,
    ];
    args::parse(&words).unwrap()
}

/// Serves until the test's runtime ends.
pub(super) struct Endpoint {
    pub(super) url: String,
}

#[derive(Default)]
struct State {
    sessions: Vec<Session>,
    /// The session and generation of each token.
    tokens: HashMap<String, (usize, u64)>,
    minted: u32,
}

struct Session {
    live: String,
    generation: u64,
    rotated_at: Instant,
    late: u32,
    charged: bool,
    over: bool,
}

impl Endpoint {
    pub(super) async fn start(behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State::default()));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = Arc::clone(&state);
                tokio::spawn(async move { drop(serve(stream, behaviour, &state).await) });
            }
        });
        Self { url }
    }

    /// The same over https, and its certificate (PEM).
    pub(super) async fn start_with_tls(behaviour: Behaviour) -> (Self, String) {
        let rcgen::CertifiedKey { cert, signing_key } =
            rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(tls));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!(
            "https://localhost:{}",
            listener.local_addr().unwrap().port()
        );
        let state = Arc::new(Mutex::new(State::default()));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (state, acceptor) = (Arc::clone(&state), acceptor.clone());
                tokio::spawn(async move {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        drop(serve(stream, behaviour, &state).await);
                    }
                });
            }
        });
        (Self { url }, cert.pem())
    }
}

async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    behaviour: Behaviour,
    state: &Mutex<State>,
) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let (mut first, mut length) = (String::new(), 0);
        if stream.read_line(&mut first).await? == 0 {
            return Ok(());
        }
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).await?;
            let line = line.trim_end().to_lowercase();
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await?;
        let form: HashMap<String, String> =
            url::form_urlencoded::parse(&body).into_owned().collect();
        let answer = match (
            first.split(' ').nth(1),
            form.get("grant_type").map(String::as_str),
        ) {
            (Some("/token"), Some("password")) => Some(grant(&state.lock().unwrap().begin())),
            (Some("/token"), _) => state
                .lock()
                .unwrap()
                .refresh(behaviour, &form["refresh_token"])
                .as_deref()
                .map(grant),
            (Some("/introspect"), _) => {
                let token = form["token"].trim_start_matches("access-");
                let active = state.lock().unwrap().is_active(token);
                Some(format!(r#"{{"active":{active}}}"#))
            }
            (Some("/revoke"), _) if behaviour == Behaviour::RefusesSignOut => None,
            // RFC 7009 §2.2: an empty success, whether the token is known or not.
            _ => {
                state.lock().unwrap().revoke(behaviour, &form["token"]);
                Some(String::new())
            }
        };
        let (status, json) = match answer {
            Some(json) => ("200 OK", json),
            None => ("400 Bad Request", r#"{"error":"invalid_grant"}"#.to_owned()),
        };
        let answer = format!(
            "HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{json}",
            json.len()
        );
        stream.get_mut().write_all(answer.as_bytes()).await?;
        stream.get_mut().flush().await?;
    }
}

fn grant(token: &str) -> String {
    format!(r#"{{"refresh_token":"{token}","access_token":"access-{token}"}}"#)
}

impl State {
    fn begin(&mut self) -> String {
        let id = self.sessions.len();
        self.sessions.push(Session {
            live: String::new(),
            generation: 0,
            rotated_at: Instant::now(),
            late: 0,
            charged: false,
            over: false,
        });
        self.mint(id, 1)
    }

    /// A token of this generation; the first one of a generation is the live one.
    fn mint(&mut self, id: usize, generation: u64) -> String {
        self.minted += 1;
        let token = format!("token-{}", self.minted);
        self.tokens.insert(token.clone(), (id, generation));
        let session = &mut self.sessions[id];
        if generation > session.generation {
            (session.live, session.generation, session.rotated_at) =
                (token.clone(), generation, Instant::now());
        }
        token
    }

    fn is_active(&self, token: &str) -> bool {
        let session = self.tokens.get(token).map(|(id, _)| &self.sessions[*id]);
        session.is_some_and(|session| !session.over)
    }

    fn refresh(&mut self, behaviour: Behaviour, token: &str) -> Option<String> {
        let (id, generation) = *self.tokens.get(token)?;
        let session = &mut self.sessions[id];
        if session.over {
            return None;
        }
        if generation == session.generation {
            if !session.charged {
                session.late = 0;
            }
            session.charged = false;
            return Some(self.mint(id, generation + 1));
        }
        let mut age = session.rotated_at.elapsed();
        if behaviour == Behaviour::Lenient {
            age = age.saturating_sub(Duration::from_millis(400));
        }
        match behaviour {
            // Each retry within the window begins a chain of its own.
            Behaviour::Forks => return (age < WINDOW).then(|| self.mint(id, generation + 1)),
            Behaviour::Forgetful => return None,
            Behaviour::RefusesTabs if age < FREE => return None,
            Behaviour::Strict | Behaviour::RefusesTabs => {}
            Behaviour::EndsFamily => {
                self.sessions
                    .iter_mut()
                    .for_each(|session| session.over = true);
                return None;
            }
            Behaviour::Sound
            | Behaviour::Revives
            | Behaviour::RefusesSignOut
            | Behaviour::Lenient => {
                let parent = generation + 1 == session.generation;
                let late = age < WINDOW && (session.charged || session.late < 2);
                if parent && age >= FREE && late && !session.charged {
                    (session.late, session.charged) = (session.late + 1, true);
                }
                if parent && (age < FREE || late) {
                    return Some(session.live.clone());
                }
                if age < FREE {
                    return None;
                }
            }
        }
        session.over = true;
        None
    }

    fn revoke(&mut self, behaviour: Behaviour, token: &str) {
        if behaviour != Behaviour::Revives
            && let Some((id, _)) = self.tokens.get(token)
        {
            self.sessions[*id].over = true;
        }
    }
}
