//! The life of the platform: applied, taken over from the real provider, meddled with, imported, destroyed.

use super::Platform;
use super::recorded::{assert_recorded_state_is_taken_over, assert_state_as_recorded};
use crate::conformance::kubernetes::whole::Cluster;

async fn lives(cluster: &Cluster) {
    let platform = Platform::new(cluster);
    platform.apply();
    platform.assert_nothing_planned("after the apply");
    platform.drifts().await;
    platform.is_imported().await;
    platform.destroy().await;
}

/// Only a real server answers with all that the recorded state has: the sandbox fills in less.
async fn is_the_real_provider_s(cluster: &Cluster) {
    let platform = Platform::new(cluster);
    platform.apply();
    assert_state_as_recorded(&platform);
    assert_recorded_state_is_taken_over(&platform);
    platform.destroy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_lives_in_the_sandbox() {
    lives(&Cluster::sandbox().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_lives_on_a_real_server() {
    let Some(cluster) = Cluster::real().await else { return };
    lives(&cluster).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_of_the_real_provider_is_taken_over() {
    let Some(cluster) = Cluster::real().await else { return };
    is_the_real_provider_s(&cluster).await;
}
