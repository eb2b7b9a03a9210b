//! Every figure, measured once for a moment in small worlds with binaries as the tests have them: that it
//! functions, that what is answered is committed, and that the file has what it should. Nothing about speed.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::process::{Command, Output};

use bench::{
    figures::ALL,
    results::{Figure, Report, file},
};
use test_kit::{Program, scratch_directory};

async fn bench(args: &[&str]) -> Output {
    for name in ["product-service", "order-service", "hotdeal"] {
        Program::of_workspace(name).await;
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_bench"));
    command.args(args);
    tokio::task::spawn_blocking(move || command.output())
        .await
        .unwrap()
        .unwrap()
}

fn assert_complete(figure: &Figure) {
    let id = &figure.id;
    assert!(figure.command.contains(id.as_str()), "{id}");
    assert!(figure.surroundings.took_s > 0.0, "{id}");
    assert!(figure.surroundings.fdatasync.is_some(), "{id}");
    for side in &figure.sides {
        assert_eq!(side.samples.len(), 1, "{id}, {}", side.name);
        let sample = &side.samples[0];
        assert!(sample.value > 0.0, "{id}, {}: {sample:?}", side.name);
        if let (Some(rows), Some(won)) = (sample.committed, sample.answers.get("won")) {
            assert_eq!(rows, *won, "{id}, {}", side.name);
        }
    }
    let has_aim = figure.ratios.iter().any(|ratio| ratio.aim.is_some())
        || figure.sides.iter().any(|side| side.aim.is_some());
    assert!(has_aim, "{id}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_figure_can_be_measured_and_is_kept() {
    let results = scratch_directory("results");
    let directory = results.to_str().unwrap();
    let output = bench(&["run", "--tiny", "--results", directory]).await;
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{errors}");
    let kept = std::fs::read_dir(&results)
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    let report: Report = file::read(&kept.path()).unwrap();
    let ids: Vec<&str> = report.figures.iter().map(|figure| &*figure.id).collect();
    assert_eq!(ids, ALL.map(|subject| subject.id));
    report.figures.iter().for_each(assert_complete);
    let settings = &report.journal.postgres_settings;
    assert_eq!(settings["fsync"], "on");
    assert_eq!(settings["synchronous_commit"], "on");

    let path = kept.path();
    let path = path.to_str().unwrap();
    let compared = bench(&["compare", path, path]).await;
    let text = String::from_utf8_lossy(&compared.stdout);
    assert!(compared.status.success(), "{text}");
    assert!(
        text.contains("~+0.0 %") && !text.contains("only in"),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_figure_that_does_not_exist_is_refused_by_its_name() {
    let output = bench(&["run", "--tiny", "--only", "P99"]).await;
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(errors.contains("P99") && errors.contains("P1a"), "{errors}");
}
