//! PHC strings, `$id[$v=version][$name=value,…]$salt$hash`, with salts and hashes of any length: the limits of the specification of the
//! format (48 and 64 bytes) are not those of the algorithms.

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

/// The format has no padding; some programs write it.
pub(super) const BASE64: GeneralPurpose = GeneralPurpose::new(&STANDARD, config());

const fn config() -> GeneralPurposeConfig {
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
}

/// The parts of a string.
pub(super) struct Phc<'a> {
    pub(super) id: &'a str,
    pub(super) version: Option<u32>,
    params: Vec<(&'a str, &'a str)>,
    pub(super) salt: Vec<u8>,
    pub(super) hash: Vec<u8>,
}

impl<'a> Phc<'a> {
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let mut fields = text.strip_prefix('$')?.split('$').peekable();
        let id = fields.next()?;
        // A field of its own; Firebase's form has a parameter of this name.
        let version = fields.next_if(|field| field.starts_with("v=") && !field.contains(','));
        let version = version.map(|field| decimal(&field[2..]));
        let params = fields.next()?.split(',').map(|pair| pair.split_once('='));
        let params: Vec<_> = params.collect::<Option<_>>()?;
        let (salt, hash) = (fields.next()?, fields.next()?);
        let is_repeated = |at: usize| params[..at].iter().any(|(name, _)| *name == params[at].0);
        if fields.next().is_some() || (0..params.len()).any(is_repeated) {
            return None;
        }
        Some(Self {
            id,
            version: match version {
                Some(number) => Some(number?),
                None => None,
            },
            params,
            salt: BASE64.decode(salt).ok()?,
            hash: BASE64.decode(hash).ok()?,
        })
    }

    /// The values of exactly these parameters, in any order.
    pub(super) fn texts<const N: usize>(&self, names: [&str; N]) -> Option<[&'a str; N]> {
        if self.params.len() != N {
            return None;
        }
        let mut values = [""; N];
        for (value, name) in values.iter_mut().zip(names) {
            *value = self.text(name)?;
        }
        Some(values)
    }

    /// The same as numbers.
    pub(super) fn numbers<const N: usize>(&self, names: [&str; N]) -> Option<[u32; N]> {
        let mut numbers = [0; N];
        for (number, text) in numbers.iter_mut().zip(self.texts(names)?) {
            *number = decimal(text)?;
        }
        Some(numbers)
    }

    /// The value of a parameter.
    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        let found = self.params.iter().find(|(found, _)| *found == name);
        found.map(|(_, value)| *value)
    }
}

/// No sign and no leading zeros.
pub(super) fn decimal(text: &str) -> Option<u32> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    (plain && (text == "0" || !text.starts_with('0'))).then(|| text.parse().ok())?
}
