//! A user's part of the white list, copied and put back as a restored file would have it. Speaks RESP itself: four commands and a few kinds
//! of answers are no reason for a client library.

use anyhow::{Context as _, Result, bail};
use futures_util::future::BoxFuture;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
};
use url::Url;

/// A connection.
pub(crate) struct Redis(BufReader<TcpStream>);

/// A user's keys as they were: name, content, and what was left of their life in milliseconds.
pub(crate) struct Snapshot {
    index: String,
    keys: Vec<(String, Vec<u8>, i64)>,
}

#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Text(Vec<u8>),
    Number(i64),
    List(Vec<Answer>),
    Nothing,
}

impl Redis {
    /// Connects by a `redis://` URL.
    pub(crate) async fn connect(url: &Url) -> Result<Self> {
        let host = url.host_str().context("the URL of Redis has no host")?;
        let stream = TcpStream::connect((host, url.port().unwrap_or(6379)))
            .await
            .context("Redis does not answer")?;
        let mut redis = Self(BufReader::new(stream));
        if let Some(password) = url.password() {
            let user = if url.username().is_empty() {
                "default"
            } else {
                url.username()
            };
            redis
                .ask(&[b"AUTH", user.as_bytes(), password.as_bytes()])
                .await?;
        }
        let database = url.path().trim_start_matches('/');
        if !database.is_empty() {
            redis.ask(&[b"SELECT", database.as_bytes()]).await?;
        }
        Ok(redis)
    }

    /// Bytes that its data take, with all that finds them.
    pub(crate) async fn used_memory(&mut self) -> Result<u64> {
        self.info("memory", "used_memory")
            .await?
            .parse()
            .context("used_memory is no number")
    }

    /// A line of what it says about itself.
    pub(crate) async fn info(&mut self, section: &str, name: &str) -> Result<String> {
        let Answer::Text(info) = self.ask(&[b"INFO", section.as_bytes()]).await? else {
            bail!("INFO answers something else")
        };
        let info = String::from_utf8_lossy(&info);
        let mut lines = info.lines().filter_map(|line| line.split_once(':'));
        let (_, value) = lines
            .find(|(found, _)| *found == name)
            .with_context(|| format!("INFO has no {name}"))?;
        Ok(value.trim().to_owned())
    }

    /// How often a command was called since the server's start.
    pub(crate) async fn calls(&mut self, command: &str) -> Result<u64> {
        let Answer::Text(info) = self.ask(&[b"INFO", b"commandstats"]).await? else {
            bail!("INFO answers something else")
        };
        let (info, name) = (
            String::from_utf8_lossy(&info),
            format!("cmdstat_{command}:calls="),
        );
        let count = info
            .lines()
            .find_map(|line| line.strip_prefix(&name)?.split(',').next());
        count.map_or(Ok(0), |count| {
            count.parse().context("the calls are no number")
        })
    }

    /// Runs a script that takes arguments and no keys.
    pub(crate) async fn run(&mut self, script: &str, arguments: &[String]) -> Result<()> {
        let mut words = vec![b"EVAL".as_slice(), script.as_bytes(), b"0"];
        words.extend(arguments.iter().map(String::as_bytes));
        self.ask(&words).await.map(drop)
    }

    /// Copies what the white list has of a user.
    pub(crate) async fn snapshot(&mut self, user: &str) -> Result<Snapshot> {
        let index = format!("{{{user}}}:sessions");
        let mut keys = Vec::new();
        for name in self.names(&index).await? {
            let Answer::Text(content) = self.ask(&[b"DUMP", name.as_bytes()]).await? else {
                continue;
            };
            let Answer::Number(life) = self.ask(&[b"PTTL", name.as_bytes()]).await? else {
                bail!("PTTL answers something else")
            };
            keys.push((name, content, life.max(0)));
        }
        Ok(Snapshot { index, keys })
    }

    /// Puts it back, and nothing else.
    pub(crate) async fn restore(&mut self, snapshot: &Snapshot) -> Result<()> {
        for name in self.names(&snapshot.index).await? {
            self.ask(&[b"DEL", name.as_bytes()]).await?;
        }
        for (name, content, life) in &snapshot.keys {
            self.ask(&[
                b"RESTORE",
                name.as_bytes(),
                life.to_string().as_bytes(),
                content,
                b"REPLACE",
            ])
            .await?;
        }
        Ok(())
    }

    /// The index and the keys that it leads to (DESIGN §4): `sid -> gen:jti` in the index, `{uid}:<jti>` each.
    async fn names(&mut self, index: &str) -> Result<Vec<String>> {
        let Answer::List(fields) = self.ask(&[b"HGETALL", index.as_bytes()]).await? else {
            bail!("HGETALL answers something else")
        };
        let prefix = index.strip_suffix("sessions").context("not an index")?;
        let mut names = vec![index.to_owned()];
        for field in fields.chunks(2) {
            if let [_, Answer::Text(value)] = field {
                let value = String::from_utf8_lossy(value);
                let (_, jti) = value
                    .split_once(':')
                    .context("the index holds something that is not gen:jti")?;
                names.push(format!("{prefix}{jti}"));
            }
        }
        Ok(names)
    }

    /// Any command whose answer does not matter beyond that it is no error.
    pub(crate) async fn order(&mut self, words: &[&str]) -> Result<()> {
        let words: Vec<_> = words.iter().map(|word| word.as_bytes()).collect();
        self.ask(&words).await.map(drop)
    }

    async fn ask(&mut self, words: &[&[u8]]) -> Result<Answer> {
        let mut request = format!("*{}\r\n", words.len()).into_bytes();
        for word in words {
            request.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
            request.extend_from_slice(word);
            request.extend_from_slice(b"\r\n");
        }
        self.0.get_mut().write_all(&request).await?;
        self.answer().await
    }

    fn answer(&mut self) -> BoxFuture<'_, Result<Answer>> {
        Box::pin(async move {
            let mut line = String::new();
            self.0.read_line(&mut line).await?;
            let line = line.trim_end();
            let rest = line.get(1..).context("Redis hung up")?;
            Ok(match line.as_bytes()[0] {
                b'+' => Answer::Text(rest.as_bytes().to_vec()),
                b':' => Answer::Number(rest.parse()?),
                b'$' | b'*' if rest == "-1" => Answer::Nothing,
                b'$' => {
                    let mut text = vec![0; rest.parse::<usize>()? + 2];
                    self.0.read_exact(&mut text).await?;
                    text.truncate(text.len() - 2);
                    Answer::Text(text)
                }
                b'*' => {
                    let mut list = Vec::new();
                    for _ in 0..rest.parse::<usize>()? {
                        list.push(self.answer().await?);
                    }
                    Answer::List(list)
                }
                _ => bail!("Redis refuses: {rest}"),
            })
        })
    }
}
