//! How long a refresh of everything takes: the no-op apply of a platform is mostly this.

use std::time::Instant;

use super::World;

#[tokio::test]
async fn sixty_objects_are_read_and_planned_quickly() {
    let world = World::sandbox().await;
    let mut things = Vec::new();
    let mut texts = Vec::new();
    let began = Instant::now();
    for at in 0..60 {
        let text = format!("metadata {{\n name = \"c-{at}\"\n namespace = \"NAMESPACE\"\n}}\ndata = {{ a = \"1\" }}");
        things.push(("kubernetes_config_map", world.create("kubernetes_config_map", &text).await));
        texts.push(text);
    }
    let created = began.elapsed();
    let began = Instant::now();
    let read = world.read_all(things).await;
    let reading = began.elapsed();
    let began = Instant::now();
    for (thing, text) in read.iter().zip(&texts) {
        let (planned, _, _) = world.plan("kubernetes_config_map", thing.as_ref().unwrap(), text).await;
        assert_eq!(planned.value, thing.as_ref().unwrap().value);
    }
    eprintln!("60 objects: created {created:?}, read {reading:?}, planned {:?}", began.elapsed());
}
