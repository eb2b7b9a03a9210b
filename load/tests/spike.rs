//! The spike, small and short, through nginx: it functions, and the reports can be filled from what it leaves behind.

use std::{fs, time::Duration};

use domain::{Clock as _, SystemClock};
use load::{
    report,
    spike::{self, Crowd, Order},
};
use local_shop::Profile;

#[tokio::test(flavor = "multi_thread")]
async fn a_spike_is_measured_on_three_shops_and_its_report_filled() {
    let repository = tempfile::tempdir().unwrap();
    let results_dir = repository.path().join("load/results");
    let order = Order {
        crowd: Crowd {
            num_users: 200,
            stock: 20,
            max_vus: 10,
            request_timeout: Duration::from_secs(60),
        },
        rounds: 1,
        profile: Profile::Own,
        results_dir,
    };
    let path = spike::measure(&order, SystemClock.now()).await.unwrap();
    let written: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let runs = written["runs"].as_array().unwrap();
    let steps: Vec<&str> = runs
        .iter()
        .map(|run| run["step"].as_str().unwrap())
        .collect();
    assert_eq!(steps, ["before", "gate", "after"]);
    for run in runs {
        assert!(run["sold_out"]["p95_ms"].as_f64().unwrap() > 0.0, "{run}");
        assert!(run["answers_per_second"].as_f64().unwrap() > 0.0, "{run}");
        assert!(
            run["components"]["postgres"]["cpu_seconds"].is_number(),
            "{run}"
        );
    }

    let docs = repository.path().join("docs");
    fs::create_dir(&docs).unwrap();
    let views = [
        "environment",
        "performance before",
        "resources after",
        "comparison before gate",
        "summary",
    ];
    let places = views.map(|view| {
        format!("<!-- measured: load/results/spike-*.json {view} -->\n<!-- /measured -->\n")
    });
    fs::write(docs.join("report.md"), places.concat()).unwrap();
    report::fill(repository.path(), false).unwrap();
    let filled = fs::read_to_string(docs.join("report.md")).unwrap();
    for words in [
        "make load-spike NUM_USERS=200",
        "| p95, 품절을 들은 사람 |",
        "| Order |",
        "| 기존 (DB) |",
    ] {
        assert!(filled.contains(words), "{words} is not in\n{filled}");
    }
}
