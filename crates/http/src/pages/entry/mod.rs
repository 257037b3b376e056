//! The pages on which somebody signs up or in, or asks for a mail that does it.

mod ask;
pub(crate) mod second_step;
pub(crate) mod sign_in;
pub(crate) mod sign_up;

pub(super) use ask::{Ask, AskTexts};
pub(super) use second_step::Entered;
