//! A connection to Redis. It speaks RESP itself: a few commands and kinds of replies need no client library.

use anyhow::{Context as _, Result, bail};
use futures_util::future::BoxFuture;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
};
use url::Url;

pub(crate) struct RedisConnection(BufReader<TcpStream>);

#[derive(Debug, PartialEq, Eq)]
enum RedisValue {
    Text(Vec<u8>),
    Number(i64),
    List(Vec<RedisValue>),
    Nothing,
}

impl RedisConnection {
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
                .send(&[b"AUTH", user.as_bytes(), password.as_bytes()])
                .await?;
        }
        let database = url.path().trim_start_matches('/');
        if !database.is_empty() {
            redis.send(&[b"SELECT", database.as_bytes()]).await?;
        }
        Ok(redis)
    }

    /// Bytes of memory that its data and their tables take.
    pub(crate) async fn used_memory(&mut self) -> Result<u64> {
        self.info("memory", "used_memory")
            .await?
            .parse()
            .context("used_memory is no number")
    }

    /// A field of `INFO`.
    pub(crate) async fn info(&mut self, section: &str, name: &str) -> Result<String> {
        let RedisValue::Text(info) = self.send(&[b"INFO", section.as_bytes()]).await? else {
            bail!("INFO has an unexpected reply")
        };
        let info = String::from_utf8_lossy(&info);
        let mut lines = info.lines().filter_map(|line| line.split_once(':'));
        let (_, value) = lines
            .find(|(found, _)| *found == name)
            .with_context(|| format!("INFO has no {name}"))?;
        Ok(value.trim().to_owned())
    }

    /// How often a command was called since the server started.
    pub(crate) async fn calls(&mut self, command: &str) -> Result<u64> {
        let RedisValue::Text(info) = self.send(&[b"INFO", b"commandstats"]).await? else {
            bail!("INFO has an unexpected reply")
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

    /// Runs a script with arguments and without keys.
    pub(crate) async fn run(&mut self, script: &str, arguments: &[String]) -> Result<()> {
        let mut words = vec![b"EVAL".as_slice(), script.as_bytes(), b"0"];
        words.extend(arguments.iter().map(String::as_bytes));
        self.send(&words).await.map(drop)
    }

    /// Runs a command whose reply does not matter unless it is an error.
    pub(crate) async fn command(&mut self, words: &[&str]) -> Result<()> {
        let words: Vec<_> = words.iter().map(|word| word.as_bytes()).collect();
        self.send(&words).await.map(drop)
    }

    async fn send(&mut self, words: &[&[u8]]) -> Result<RedisValue> {
        let mut request = format!("*{}\r\n", words.len()).into_bytes();
        for word in words {
            request.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
            request.extend_from_slice(word);
            request.extend_from_slice(b"\r\n");
        }
        self.0.get_mut().write_all(&request).await?;
        self.reply().await
    }

    fn reply(&mut self) -> BoxFuture<'_, Result<RedisValue>> {
        Box::pin(async move {
            let mut line = String::new();
            self.0.read_line(&mut line).await?;
            let line = line.trim_end();
            let rest = line.get(1..).context("Redis hung up")?;
            Ok(match line.as_bytes()[0] {
                b'+' => RedisValue::Text(rest.as_bytes().to_vec()),
                b':' => RedisValue::Number(rest.parse()?),
                b'$' | b'*' if rest == "-1" => RedisValue::Nothing,
                b'$' => {
                    let mut text = vec![0; rest.parse::<usize>()? + 2];
                    self.0.read_exact(&mut text).await?;
                    text.truncate(text.len() - 2);
                    RedisValue::Text(text)
                }
                b'*' => {
                    let mut list = Vec::new();
                    for _ in 0..rest.parse::<usize>()? {
                        list.push(self.reply().await?);
                    }
                    RedisValue::List(list)
                }
                _ => bail!("Redis replies: {rest}"),
            })
        })
    }
}
