//! The load target, short and with few buyers: whether it functions, not how fast anything is.

use std::{fs, time::Duration};

use domain::{Clock as _, SystemClock};
use load::{
    order_overload::{Order, Step, measure},
    result::{FORM, OrderOverload},
    settings::{Load, Target},
};
use local_shop::{Profile, Shop, ShopOptions};

fn order(directory: &tempfile::TempDir, target: Target) -> Order {
    Order {
        load: Load {
            max_vus: 10,
            num_users: 25,
            ramp_duration: Duration::from_secs(1),
            hold_duration: Duration::from_secs(3),
            request_timeout: Duration::from_secs(60),
        },
        target,
        rounds: 1,
        profile: Profile::Own,
        results_dir: directory.path().to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_load_target_measures_all_steps_and_every_order_is_a_row_and_a_held_unit() {
    let directory = tempfile::tempdir().unwrap();
    let order = order(&directory, Target::default());
    let written = measure(&order, SystemClock.now()).await.unwrap();

    let read = OrderOverload::read(&written.json).unwrap();
    assert_eq!(read, written.result, "what is written is what was measured");
    assert_eq!(read.form, FORM);
    let steps: Vec<Step> = read.steps.iter().map(|it| it.step).collect();
    assert_eq!(steps, Step::OF_A_SHOP_OF_ITS_OWN);
    for run in &read.runs {
        let units = run.units.unwrap();
        assert!(units.accepted > 0, "{run:?}");
        assert_eq!((units.accepted, units.accepted), (units.orders, units.held));
        assert_eq!(run.whole.accepted, units.accepted);
        assert!(
            run.hold.accepted > 0 && run.hold.accepted <= run.whole.accepted,
            "{run:?}"
        );
        assert!(run.hold.error_rate.abs() < f64::EPSILON, "{run:?}");
        assert!(
            0.0 < run.hold.p50_ms && run.hold.p50_ms <= run.hold.p95_ms,
            "{run:?}"
        );
        assert!(run.hold.p95_ms <= run.hold.p99_ms && run.hold.p99_ms <= run.hold.max_ms);
        let decrement = run.decrement.unwrap();
        #[expect(clippy::cast_precision_loss, reason = "seconds of ten buyers")]
        let held = units.held as f64;
        assert!((decrement.held - held).abs() < f64::EPSILON, "{run:?}");
        assert!(decrement.ledger_ms_per_decrement > 0.0, "{run:?}");
        assert_eq!(decrement.gate.is_some(), run.step != Step::Before);
    }
    for step in &read.steps {
        for name in [
            "order-service",
            "product-service",
            "gateway",
            "postgres",
            "k6",
        ] {
            let component = &step.components[name];
            assert!(
                component.cpu_percent.median > 0.0,
                "{name} worked: {component:?}"
            );
            assert!(
                component.rss_peak_bytes.median > 1e6,
                "{name}: {component:?}"
            );
            assert!(
                component.rss_at_rest_bytes.median > 0.0,
                "{name}: {component:?}"
            );
        }
        assert_eq!(
            step.components.contains_key("redis"),
            step.step != Step::Before
        );
    }
    let compared: Vec<(Step, Step)> = read.ratios.iter().map(|it| (it.from, it.to)).collect();
    assert!(
        compared.contains(&(Step::Before, Step::After)),
        "{compared:?}"
    );
    let last = read.ratios.last().unwrap();
    assert!(last.p95.median > 0.0 && last.ledger_to_gate.unwrap().median > 0.0);
    assert!(last.cpu_per_order.contains_key("order-service"), "{last:?}");

    assert_eq!(written.pictures.len(), 3);
    for picture in &written.pictures {
        let text = fs::read_to_string(picture).unwrap();
        assert!(
            text.contains("<svg") && text.contains("</svg>"),
            "{}",
            picture.display()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_that_is_up_is_loaded_through_its_own_address() {
    let shop = Shop::start(ShopOptions::default()).await;
    let directory = tempfile::tempdir().unwrap();
    let target = Target {
        base_url: Some(shop.front().url("")),
        product_url: Some(shop.product[0].http.url("")),
        admin_token: None,
    };
    let written = measure(&order(&directory, target), SystemClock.now())
        .await
        .unwrap();
    let [run] = &written.result.runs[..] else {
        panic!("one run of one step: {:?}", written.result.runs);
    };
    assert_eq!(run.step, Step::Given);
    assert!(
        run.whole.accepted > 0 && run.is_within_thresholds,
        "{run:?}"
    );
    assert!(written.result.ratios.is_empty());
}
