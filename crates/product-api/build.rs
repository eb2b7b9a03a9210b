//! Compiles the protos with protox, so that no protoc need be installed.

use std::{env, fs, path::PathBuf};

use prost::Message;

const PROTO_ROOT: &str = "../../proto";
const PROTOS: [&str; 1] = ["hotdeal/product/v1/product.proto"];

#[expect(
    clippy::disallowed_macros,
    reason = "this is how a build script talks to cargo"
)]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed={PROTO_ROOT}");
    let descriptors = protox::compile(PROTOS, [PROTO_ROOT])?;

    // Kept beside the generated code: reflection serves it.
    let out = PathBuf::from(env::var("OUT_DIR")?).join("descriptors.bin");
    fs::write(out, descriptors.encode_to_vec())?;

    tonic_prost_build::configure()
        .bytes(".")
        .codec_path("crate::ProtobufCodec")
        .compile_fds(descriptors)?;
    Ok(())
}
