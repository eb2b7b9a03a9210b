//! The standard reflection service (v1): tools can list and call what there is without the protos.

use tonic_reflection::server::{
    Builder, Error,
    v1::{ServerReflection, ServerReflectionServer},
};

/// Describes the product service and the health service.
///
/// # Errors
/// When the descriptors that were compiled in are broken.
pub fn service() -> Result<ServerReflectionServer<impl ServerReflection>, Error> {
    Builder::configure()
        .register_encoded_file_descriptor_set(product_api::DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()
}
