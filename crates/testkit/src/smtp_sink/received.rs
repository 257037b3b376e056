//! A mail as it arrived.

use mail_parser::{Message, MessageParser};

/// A mail as it arrived: its envelope, and its message as it came over the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedMail {
    /// The address of MAIL FROM.
    pub from: String,
    /// The addresses of RCPT TO.
    pub to: Vec<String>,
    /// What came after the address of MAIL FROM.
    pub parameters: String,
    /// Whether the connection was encrypted.
    pub encrypted: bool,
    /// Who had signed in.
    pub user: Option<String>,
    /// The name that the client gave itself.
    pub client: String,
    /// The message, with lines that end with `\r\n`.
    pub data: Vec<u8>,
    /// Whether the client was to be told that it was taken.
    pub answered: bool,
}

impl ReceivedMail {
    /// A message that came over no line.
    pub fn from_file(data: Vec<u8>) -> Self {
        Self {
            from: String::new(),
            to: Vec::new(),
            parameters: String::new(),
            encrypted: false,
            user: None,
            client: String::new(),
            data,
            answered: false,
        }
    }

    /// The message, as another library reads it.
    ///
    /// # Panics
    /// If it is none.
    pub fn message(&self) -> Message<'_> {
        let message = MessageParser::default().parse(&self.data);
        message.expect("it is a message")
    }

    /// A header's value, if there is one of that name.
    pub fn header(&self, name: &str) -> Option<String> {
        let message = self.message();
        let value = message.header_raw(name)?;
        Some(value.trim().to_owned())
    }

    /// The subject.
    pub fn subject(&self) -> String {
        self.message().subject().unwrap_or_default().to_owned()
    }

    /// The text, decoded.
    pub fn text(&self) -> String {
        let text = self.message().body_text(0).unwrap_or_default().into_owned();
        text.replace("\r\n", "\n")
    }

    /// The HTML, decoded.
    pub fn html(&self) -> String {
        let html = self.message().body_html(0).unwrap_or_default().into_owned();
        html.replace("\r\n", "\n")
    }

    /// The code of six digits in the text.
    pub fn code(&self) -> Option<String> {
        let text = self.text();
        let mut words = text.split_whitespace();
        let is_code = |word: &&str| word.len() == 6 && word.bytes().all(|b| b.is_ascii_digit());
        words.find(is_code).map(str::to_owned)
    }

    /// The first link in the text.
    pub fn link(&self) -> Option<String> {
        let text = self.text();
        let mut words = text.split_whitespace();
        words.find(|word| word.contains("://")).map(str::to_owned)
    }
}
