//! The standard reflection service: tools can list and call what there is without the protos. Many still ask
//! by its old name, v1alpha.

use tonic_reflection::server::{
    Builder, Error,
    v1::{ServerReflection, ServerReflectionServer},
    v1alpha,
};

/// Describes the product service and the health service.
///
/// # Errors
/// When the descriptors that were compiled in are broken.
pub fn service() -> Result<ServerReflectionServer<impl ServerReflection>, Error> {
    described().build_v1()
}

/// The same by its old name.
///
/// # Errors
/// As [`service`].
pub fn service_v1alpha()
-> Result<v1alpha::ServerReflectionServer<impl v1alpha::ServerReflection>, Error> {
    described().build_v1alpha()
}

fn described() -> Builder<'static> {
    Builder::configure()
        .register_encoded_file_descriptor_set(product_api::DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
}
