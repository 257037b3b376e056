//! Processes of the service.

mod binary;
mod deployment;
mod instance;
mod settings;

pub(crate) use self::{
    binary::Binary, deployment::Deployment, instance::Instance, settings::Settings,
};
