mod timing;

pub use timing::Timing;

use super::adapter::{self, AdapterChoice, AdapterKind, AdapterSummary};
use super::at_once::at_once;
use super::budget::Budget;
use super::conditions::Conditions;
use super::error::GpuError;
use super::handles::{Buffer, Mark};
use super::immediates::Immediates;
use super::kernel::MOST_TURNS;
use super::launch::{Launch, Replays};
use super::news::News;
use super::options::{ExecutorOptions, Fault, Profile, Requirements};
use super::pipelines::Pipelines;
use super::readback::Readback;
use super::recording::{Command, Dispatch, Frozen, Recording, Resource};
use super::resources::{FREES_AT_ONCE, Resources, USAGES};
use super::statistics::ExecutorStatistics;
use super::uploads::Uploads;
use std::any::Any;
use std::path::Path;
use std::sync::Arc;
#[cfg(target_arch = "wasm32")]
use std::task::Poll;
use web_time::{Duration, Instant};

/// Whether a call can wait for the device: in a page it would keep back what it waits for.
const CAN_WAIT: bool = cfg!(not(target_arch = "wasm32"));
/// The ticket of reads, which no other fetch may use.
const READ_TICKET: u64 = u64::MAX;

/// Runs recordings on one device. The only owner of GPU objects.
pub struct Executor {
    device: wgpu::Device,
    queue: wgpu::Queue,
    adapter: AdapterSummary,
    options: ExecutorOptions,
    resources: Resources,
    pipelines: Pipelines,
    immediates: Immediates,
    replays: Replays,
    conditions: Conditions,
    uploads: Uploads,
    budget: Budget,
    readback: Readback,
    /// Fetches that came back while a read waited for something else.
    stash: Vec<(u64, Vec<u32>)>,
    encoder: Option<wgpu::CommandEncoder>,
    news: News,
    /// The counts that are kept here; the rest is asked for.
    statistics: ExecutorStatistics,
    waited: Duration,
    attachment: Box<dyn Any + Send>,
}

impl Executor {
    /// Opens an adapter at its own limits.
    ///
    /// # Errors
    /// When there is no adapter, none matches `choice`, or it cannot run the kernels.
    pub fn open(choice: &AdapterChoice, options: ExecutorOptions) -> Result<Self, GpuError> {
        at_once(Self::open_async(choice, options))
    }

    /// [`Self::open`] for a page, whose browser chooses the adapter.
    ///
    /// # Errors
    /// As for [`Self::open`].
    pub async fn open_async(
        choice: &AdapterChoice,
        options: ExecutorOptions,
    ) -> Result<Self, GpuError> {
        let (adapter, summary) = adapter::choose(choice).await?;
        let requirements = Requirements::of(&adapter);
        let request = adapter.request_device(&wgpu::DeviceDescriptor {
            label: Some("afterimage"),
            required_features: requirements.features,
            required_limits: requirements.limits,
            ..Default::default()
        });
        let (device, queue) = request
            .await
            .map_err(|error| GpuError::Device(error.to_string()))?;
        let executor = Self::new(device, queue, summary, options);
        let news = executor.news.clone();
        executor
            .device
            .on_uncaptured_error(Arc::new(move |error| news.fail(error.into())));
        let news = executor.news.clone();
        executor.device.set_device_lost_callback(move |_, message| {
            // Of a device that was dropped nobody asks any more.
            news.fail(GpuError::Lost(message));
        });
        Ok(executor)
    }

    /// Runs on a device that the host program owns; its error and device-lost handlers are left as they are. What of
    /// [`Requirements::of`] it was made without is done without.
    pub fn on_device(
        adapter: &wgpu::Adapter,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        options: ExecutorOptions,
    ) -> Self {
        let summary = adapter::summarise(0, adapter);
        Self::new(device.clone(), queue.clone(), summary, options)
    }

    fn new(
        device: wgpu::Device,
        queue: wgpu::Queue,
        adapter: AdapterSummary,
        options: ExecutorOptions,
    ) -> Self {
        let news = News::default();
        Executor {
            uploads: Uploads::new(device.clone()),
            budget: Budget::new(options.submission, options.in_flight, news.clone()),
            immediates: Immediates::new(&device),
            resources: Resources::new(device.clone()),
            pipelines: Pipelines::new(device.clone(), &options),
            replays: Replays::default(),
            conditions: Conditions::new(),
            device,
            queue,
            adapter,
            options,
            readback: Readback::new(news.clone()),
            stash: Vec::new(),
            encoder: None,
            news,
            statistics: ExecutorStatistics::default(),
            waited: Duration::ZERO,
            attachment: Box::new(()),
        }
    }

    /// The adapter in use.
    pub fn adapter(&self) -> &AdapterSummary {
        &self.adapter
    }

    /// Where what was found out about the device is kept for later runs.
    pub(crate) fn cache_folder(&self) -> Option<&Path> {
        self.options.cache.as_deref()
    }

    /// What the choice of kernels depends on.
    pub fn profile(&self) -> Profile {
        let [smallest, largest] = self.adapter.subgroup_sizes;
        let one_size = smallest == largest && smallest > 0;
        let has_subgroups = self.device.features().contains(wgpu::Features::SUBGROUP);
        Profile {
            is_cpu: self.adapter.kind == AdapterKind::Cpu,
            workgroup_bytes: self.device.limits().max_compute_workgroup_storage_size as usize,
            longest_image_side: self.device.limits().max_texture_dimension_2d,
            subgroup_size: (has_subgroups && one_size).then_some(smallest),
        }
    }

    /// Bytes of the buffers and images made so far.
    pub fn allocated_bytes(&self) -> u64 {
        self.resources.bytes()
    }

    /// What it has done so far.
    pub fn statistics(&self) -> ExecutorStatistics {
        ExecutorStatistics {
            pipelines: self.pipelines.len(),
            bind_groups: self.pipelines.bind_groups_made(),
            cached_bytes: self.pipelines.cached_bytes(),
            ..self.statistics
        }
    }

    /// What whoever is above keeps with this device; `()` before [`Self::attach`].
    pub(crate) fn attachment(&self) -> &(dyn Any + Send) {
        &*self.attachment
    }

    /// Keeps something in place of the present [`Self::attachment`].
    pub(crate) fn attach(&mut self, attachment: Box<dyn Any + Send>) {
        self.attachment = attachment;
    }

    /// The most bytes of buffers and images there have been at a time.
    pub fn most_allocated_bytes(&self) -> u64 {
        self.resources.most_bytes()
    }

    /// Uses a buffer of the host program, which must have the usages STORAGE, COPY_SRC and COPY_DST, and a size that
    /// is a whole number of 32-bit words, at least one. Both see the same memory; the host program's submissions and
    /// those of [`Self::flush`] take effect in the order in which they reach the queue.
    ///
    /// # Errors
    /// When the buffer has another usage or size, or is larger than can be bound.
    pub fn import(
        &mut self,
        label: &'static str,
        buffer: &wgpu::Buffer,
    ) -> Result<Buffer, GpuError> {
        if !buffer.usage().contains(USAGES) {
            return Err(GpuError::ImportUsages { label });
        }
        if buffer.size() == 0 || !buffer.size().is_multiple_of(4) {
            return Err(GpuError::ImportSize {
                label,
                size: buffer.size(),
            });
        }
        let handle = Buffer::new(label, (buffer.size() / 4) as usize);
        self.resources.check(handle.into())?;
        self.resources.adopt(handle, buffer.clone());
        Ok(handle)
    }

    /// Whether the adapter's limits allow everything that `recording` uses. Makes nothing.
    ///
    /// # Errors
    /// What is too large.
    pub(crate) fn admits(&self, recording: &Recording) -> Result<(), GpuError> {
        for command in recording.commands() {
            match command {
                Command::Upload { buffer, .. } | Command::Fetch { buffer, .. } => {
                    self.resources.check((*buffer).into())?;
                }
                Command::Copy { from, to, .. } => {
                    self.resources.check((*from).into())?;
                    self.resources.check((*to).into())?;
                }
                Command::Dispatch(dispatch) => {
                    self.check_launch(dispatch)?;
                    for resource in &dispatch.resources {
                        self.resources.check(*resource)?;
                    }
                }
                Command::Replay { frozen, .. } => self.admits(frozen.recording())?,
                Command::OnlyIf { condition, body } => {
                    self.resources.check((*condition).into())?;
                    self.admits(body)?;
                }
            }
        }
        Ok(())
    }

    /// A point in time to give to [`Self::release_since`].
    pub fn mark(&self) -> Mark {
        Mark::now()
    }

    /// Frees every buffer and image named since `mark`. Recordings that use them cannot be run any more.
    pub fn release_since(&mut self, mark: Mark) {
        // There what is freed is gone at once, so that what is encoded with it has to go first.
        if FREES_AT_ONCE && let Err(error) = self.submit() {
            self.news.fail(error);
        }
        self.resources.release_since(mark);
        self.pipelines.forget_since(mark);
        self.replays.forget_since(mark);
    }

    /// Encodes `recording`, submitting whenever the budget of one submission is used up. Does not wait for the GPU,
    /// except for the oldest submission when too many are in flight.
    ///
    /// # Errors
    /// What the GPU reported since the last call, or what is wrong with the recording.
    pub fn run(&mut self, recording: &Recording) -> Result<(), GpuError> {
        self.check()?;
        self.counting_time(|executor| executor.encode(recording))
    }

    fn encode(&mut self, recording: &Recording) -> Result<(), GpuError> {
        let mut commands = recording.commands().iter().peekable();
        while let Some(command) = commands.next() {
            match command {
                Command::Dispatch(first) => {
                    let mut batch = vec![first];
                    while let Some(Command::Dispatch(next)) = commands.peek() {
                        batch.push(next);
                        commands.next();
                    }
                    let launches = self.look_up(&batch)?;
                    self.launch(launches.iter().map(|launch| (launch, 0)), None)?;
                }
                Command::Replay {
                    frozen,
                    first_step,
                    times,
                } => self.replay(frozen, *first_step, *times)?,
                Command::OnlyIf { condition, body } => self.only_if(*condition, body)?,
                Command::Upload {
                    buffer,
                    offset,
                    words,
                } => self.upload(*buffer, *offset, words)?,
                Command::Copy {
                    from,
                    from_offset,
                    to,
                    to_offset,
                    words,
                } => {
                    in_range(*from, *from_offset, *words)?;
                    in_range(*to, *to_offset, *words)?;
                    let (source, target) =
                        (self.resources.buffer(*from)?, self.resources.buffer(*to)?);
                    self.encoder().copy_buffer_to_buffer(
                        &source,
                        *from_offset as u64 * 4,
                        &target,
                        *to_offset as u64 * 4,
                        *words as u64 * 4,
                    );
                }
                Command::Fetch {
                    buffer,
                    offset,
                    words,
                    ticket,
                } => {
                    in_range(*buffer, *offset, *words)?;
                    let source = self.resources.buffer(*buffer)?;
                    let staging = self.readback.stage(&self.device, *words, *ticket);
                    self.encoder().copy_buffer_to_buffer(
                        &source,
                        *offset as u64 * 4,
                        &staging,
                        0,
                        *words as u64 * 4,
                    );
                }
            }
        }
        Ok(())
    }

    /// Submits what is encoded, without waiting.
    ///
    /// # Errors
    /// What the GPU reported.
    pub fn flush(&mut self) -> Result<(), GpuError> {
        self.counting_time(Self::submit)
    }

    fn submit(&mut self) -> Result<(), GpuError> {
        let Some(encoder) = self.encoder.take() else {
            return Ok(());
        };
        self.uploads.close();
        self.immediates.submit(&self.queue);
        let commands = encoder.finish();
        let began = Instant::now();
        let index = self.queue.submit([commands]);
        // lavapipe runs the submission before in this call, as others may when their queue is full.
        self.waited += began.elapsed();
        self.uploads.submitted();
        self.readback.submitted();
        self.statistics.submissions += 1;
        self.budget.submitted(index, &self.queue);
        if let Some((fault, after)) = self.options.fault
            && after == self.statistics.submissions
        {
            self.inject(fault);
        }
        self.poll()?;
        // In a page whoever hands over work has to see to that: `Self::is_busy`.
        while let Some(oldest) = self.budget.must_wait_for().filter(|_| CAN_WAIT) {
            self.wait(Some(oldest))?;
            self.budget.update();
        }
        self.check()
    }

    /// Does as a driver that fails; see [`ExecutorOptions::fault`].
    fn inject(&mut self, fault: Fault) {
        match fault {
            Fault::Lost => self.device.destroy(),
            // Every wait from here on is in vain: `Self::wait`.
            Fault::Hung => {}
            // Usages that do not go together.
            Fault::Invalid => drop(self.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("injected fault"),
                size: 4,
                usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::MAP_WRITE,
                mapped_at_creation: false,
            })),
            Fault::OutOfMemory => {
                let source = "injected fault".into();
                self.news.fail(wgpu::Error::OutOfMemory { source }.into());
            }
        }
    }

    /// Counts the time of `work` as that of encoding, except where it waits for the GPU.
    fn counting_time<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> T {
        let (began, waited) = (Instant::now(), self.waited);
        let result = work(self);
        let waited = self.waited - waited;
        self.statistics.encoding += began.elapsed().saturating_sub(waited);
        result
    }

    /// What fetches have brought back since the last call: tickets with their words. Does not wait.
    ///
    /// # Errors
    /// What the GPU reported.
    pub fn arrived(&mut self) -> Result<Vec<(u64, Vec<u32>)>, GpuError> {
        self.poll()?;
        let mut results = std::mem::take(&mut self.stash);
        results.extend(self.readback.arrived()?);
        Ok(results)
    }

    /// Submits everything, waits for it, and returns all outstanding fetches.
    ///
    /// # Errors
    /// What the GPU reported, or that it did not finish in time.
    pub fn finish(&mut self) -> Result<Vec<(u64, Vec<u32>)>, GpuError> {
        self.flush()?;
        self.wait(None)?;
        self.budget.update();
        let mut results = std::mem::take(&mut self.stash);
        results.extend(self.readback.arrived()?);
        while self.readback.is_waiting() {
            self.wait(None)?;
            results.extend(self.readback.arrived()?);
        }
        self.check()?;
        self.pipelines.save();
        Ok(results)
    }

    /// [`Self::finish`] for a page, which goes on meanwhile.
    ///
    /// # Errors
    /// What the GPU reported.
    #[cfg(target_arch = "wasm32")]
    pub async fn finish_async(&mut self) -> Result<Vec<(u64, Vec<u32>)>, GpuError> {
        self.flush()?;
        let mut results = Vec::new();
        std::future::poll_fn(|context| {
            // Before looking, so that nothing comes unnoticed between the two.
            self.news.tell(context.waker());
            match self.arrived() {
                Err(error) => return Poll::Ready(Err(error)),
                Ok(more) => results.extend(more),
            }
            match self.readback.is_waiting() || self.budget.is_waiting() {
                true => Poll::Pending,
                false => Poll::Ready(Ok(())),
            }
        })
        .await?;
        Ok(results)
    }

    /// [`Self::finish`], which has all at once where devices are waited for.
    ///
    /// # Errors
    /// What the GPU reported, or that it did not finish in time.
    #[cfg(not(target_arch = "wasm32"))]
    pub async fn finish_async(&mut self) -> Result<Vec<(u64, Vec<u32>)>, GpuError> {
        self.finish()
    }

    /// Whether as many submissions are on their way as [`ExecutorOptions::in_flight`] allows. A page hands nothing over then;
    /// elsewhere [`Self::run`] waits.
    pub fn is_busy(&mut self) -> bool {
        self.budget.update();
        self.budget.must_wait_for().is_some()
    }

    /// Waits for the GPU and reads a whole buffer as f32.
    ///
    /// # Errors
    /// As for [`Self::finish`].
    pub fn read(&mut self, buffer: Buffer) -> Result<Vec<f32>, GpuError> {
        at_once(self.read_async(buffer))
    }

    /// [`Self::read`] for a page, which goes on meanwhile.
    ///
    /// # Errors
    /// As for [`Self::finish`].
    pub async fn read_async(&mut self, buffer: Buffer) -> Result<Vec<f32>, GpuError> {
        let words = self.read_words_async(buffer, 0, buffer.words()).await?;
        Ok(words.into_iter().map(f32::from_bits).collect())
    }

    /// Waits for the GPU and reads part of a buffer as words. Outstanding fetches are kept for [`Self::arrived`].
    ///
    /// # Errors
    /// As for [`Self::finish`].
    pub fn read_words(
        &mut self,
        buffer: Buffer,
        offset: usize,
        words: usize,
    ) -> Result<Vec<u32>, GpuError> {
        at_once(self.read_words_async(buffer, offset, words))
    }

    /// [`Self::read_words`] for a page, which goes on meanwhile.
    ///
    /// # Errors
    /// As for [`Self::finish`].
    pub async fn read_words_async(
        &mut self,
        buffer: Buffer,
        offset: usize,
        words: usize,
    ) -> Result<Vec<u32>, GpuError> {
        let mut recording = Recording::new();
        recording.fetch(buffer, offset, words, READ_TICKET);
        self.run(&recording)?;
        let mut results = self.finish_async().await?;
        let place = results
            .iter()
            .position(|(ticket, _)| *ticket == READ_TICKET);
        let place = place.ok_or_else(|| GpuError::Lost("a read did not come back".into()))?;
        let (_, read) = results.remove(place);
        // What else came back stays in order.
        self.stash = results;
        Ok(read)
    }

    fn replay(&mut self, frozen: &Frozen, first_step: u32, times: u32) -> Result<(), GpuError> {
        let launches = self.resolved(frozen)?;
        self.launch(replayed(&launches, first_step, times), None)
    }

    /// Asks `condition` once, and encodes the launches of `body` on as many workgroups as it then says.
    fn only_if(&mut self, condition: Buffer, body: &Recording) -> Result<(), GpuError> {
        let mut parts = Vec::new();
        for command in body.commands() {
            parts.push(match command {
                Command::Dispatch(dispatch) => (Arc::from(self.look_up(&[dispatch])?), 0, 1),
                Command::Replay {
                    frozen,
                    first_step,
                    times,
                } => (self.resolved(frozen)?, *first_step, *times),
                Command::Upload { .. }
                | Command::Copy { .. }
                | Command::Fetch { .. }
                | Command::OnlyIf { .. } => {
                    let command = command.to_string();
                    return Err(GpuError::NotConditional { command });
                }
            });
        }
        for launch in parts.iter().flat_map(|(launches, ..)| launches.iter()) {
            let size = launch.workgroups;
            let Some((place, is_new)) = self.conditions.place(size) else {
                let command = format!("a launch of {size:?} workgroups");
                return Err(GpuError::NotConditional { command });
            };
            if is_new {
                self.upload(self.conditions.wanted(), place, &size)?;
            }
        }
        let ask = self.look_up(&[&self.conditions.ask(condition)])?;
        self.launch(ask.iter().map(|launch| (launch, 0)), None)?;
        let workgroups = self.resources.buffer(self.conditions.workgroups())?;
        for (launches, first_step, times) in &parts {
            let launches = replayed(launches, *first_step, *times);
            self.launch(launches, Some(&workgroups))?;
        }
        Ok(())
    }

    /// What the replays of `frozen` launch.
    fn resolved(&mut self, frozen: &Frozen) -> Result<Arc<[Launch]>, GpuError> {
        match self.replays.get(frozen) {
            Some(launches) => Ok(launches),
            None => self.resolve(frozen),
        }
    }

    /// Looks up what the replays of `frozen` launch, and keeps it for the next ones.
    fn resolve(&mut self, frozen: &Frozen) -> Result<Arc<[Launch]>, GpuError> {
        let mut dispatches = Vec::new();
        for command in frozen.recording().commands() {
            let Command::Dispatch(dispatch) = command else {
                let command = command.to_string();
                return Err(GpuError::NotReplayable { command });
            };
            dispatches.push(dispatch);
        }
        let launches: Arc<[Launch]> = self.look_up(&dispatches)?.into();
        let resources = dispatches.iter().flat_map(|dispatch| &dispatch.resources);
        let newest = resources.map(Resource::id).max().unwrap_or(0);
        self.replays.insert(frozen, launches.clone(), newest);
        Ok(launches)
    }

    /// Encodes launches with the steps they are to take, in as few compute passes as the budget of a submission
    /// allows; wgpu itself puts the barriers between dependent launches. With `conditional` their numbers of workgroups are
    /// in that buffer.
    fn launch<'a>(
        &mut self,
        launches: impl Iterator<Item = (&'a Launch, u32)>,
        conditional: Option<&wgpu::Buffer>,
    ) -> Result<(), GpuError> {
        let mut launches = launches.peekable();
        while let Some((first, _)) = launches.peek() {
            if !self.budget.fits(first.flops) || !self.immediates.has_room() {
                self.submit()?;
            }
            let mut encoder = self.take_encoder();
            let mut pass = encoder.begin_compute_pass(&Default::default());
            while let Some((launch, step)) = launches
                .next_if(|(launch, _)| self.budget.fits(launch.flops) && self.immediates.has_room())
            {
                let place = |buffer| (buffer, self.conditions.offset(launch.workgroups));
                let workgroups = conditional.map(place);
                launch.encode(&mut pass, step, workgroups, &mut self.immediates);
                self.budget.add(launch.flops, conditional.is_some());
                self.statistics.launches += 1;
            }
            drop(pass);
            self.encoder = Some(encoder);
        }
        Ok(())
    }

    /// The pipelines and bind groups of dispatches, made if need be.
    fn look_up(&mut self, dispatches: &[&Dispatch]) -> Result<Vec<Launch>, GpuError> {
        for dispatch in dispatches {
            self.check_dispatch(dispatch)?;
        }
        let programs: Vec<_> = dispatches.iter().map(|d| d.program.as_ref()).collect();
        let pipelines = self.pipelines.compile(&programs, &self.immediates)?;
        self.statistics.lookups += dispatches.len() as u64;
        let mut launches = Vec::with_capacity(dispatches.len());
        for (dispatch, index) in dispatches.iter().zip(pipelines) {
            let mut ids = Vec::with_capacity(dispatch.resources.len());
            for resource in &dispatch.resources {
                self.resources.make(*resource)?;
                ids.push(resource.id());
            }
            let entries = || {
                let bound = dispatch.resources.iter().enumerate();
                bound
                    .map(|(binding, resource)| wgpu::BindGroupEntry {
                        binding: binding as u32,
                        resource: self.resources.binding(resource),
                    })
                    .collect()
            };
            let bind_group = self.pipelines.bind_group(index, ids, entries).clone();
            let pipeline = self.pipelines.pipeline(index).clone();
            launches.push(Launch::new(dispatch, pipeline, bind_group));
        }
        Ok(launches)
    }

    fn check_dispatch(&self, dispatch: &Dispatch) -> Result<(), GpuError> {
        let kernel = dispatch.program.kernel;
        if dispatch.resources.len() != kernel.bindings.len() {
            return Err(GpuError::Bindings {
                kernel: kernel.name,
                expected: kernel.bindings.len(),
                given: dispatch.resources.len(),
            });
        }
        let words = dispatch.immediates.len();
        if let Some(step_word) = dispatch.step_word
            && step_word >= words
        {
            return Err(GpuError::StepWord {
                kernel: kernel.name,
                words,
                step_word,
            });
        }
        self.check_launch(dispatch)
    }

    fn check_launch(&self, dispatch: &Dispatch) -> Result<(), GpuError> {
        let allowed = self.device.limits().max_compute_workgroups_per_dimension;
        if dispatch.workgroups.iter().any(|&count| count > allowed) {
            return Err(GpuError::TooManyWorkgroups {
                kernel: dispatch.program.kernel.name,
                groups: dispatch.workgroups,
                allowed,
            });
        }
        let program = &dispatch.program;
        if self.adapter.kind == AdapterKind::Cpu && program.turns > MOST_TURNS {
            return Err(GpuError::TooManyTurns {
                kernel: program.kernel.name,
                turns: program.turns,
                allowed: MOST_TURNS,
            });
        }
        Ok(())
    }

    fn upload(&mut self, buffer: Buffer, offset: usize, words: &[u32]) -> Result<(), GpuError> {
        in_range(buffer, offset, words.len())?;
        let target = self.resources.buffer(buffer)?;
        let bytes: &[u8] = bytemuck::cast_slice(words);
        if bytes.is_empty() {
            return Ok(());
        }
        // A copy inside the encoder, not `queue.write_buffer`, which would run before everything encoded so far.
        let mut encoder = self.take_encoder();
        let place = offset as u64 * 4;
        let written = self.uploads.write(&mut encoder, &target, place, bytes);
        self.encoder = Some(encoder);
        written.or_else(|error| {
            // The device may know the cause.
            self.poll()?;
            Err(error)
        })
    }

    fn take_encoder(&mut self) -> wgpu::CommandEncoder {
        self.encoder
            .take()
            .unwrap_or_else(|| self.device.create_command_encoder(&Default::default()))
    }

    fn encoder(&mut self) -> &mut wgpu::CommandEncoder {
        self.encoder
            .get_or_insert_with(|| self.device.create_command_encoder(&Default::default()))
    }

    fn poll(&mut self) -> Result<(), GpuError> {
        self.device
            .poll(wgpu::PollType::Poll)
            .map_err(|error| GpuError::Lost(error.to_string()))?;
        self.budget.update();
        self.check()
    }

    fn wait(&mut self, index: Option<wgpu::SubmissionIndex>) -> Result<(), GpuError> {
        if !CAN_WAIT {
            return Err(GpuError::WouldWait);
        }
        let began = Instant::now();
        let outcome = match self.is_hung() {
            true => Err(wgpu::PollError::Timeout),
            false => self.device.poll(wgpu::PollType::Wait {
                submission_index: index,
                timeout: Some(self.options.patience),
            }),
        };
        self.waited += began.elapsed();
        self.check()?;
        match outcome {
            Ok(_) => Ok(()),
            Err(wgpu::PollError::Timeout) => {
                // Whoever drops the last of a queue waits until it is idle, without a bound: so it is never dropped.
                std::mem::forget((self.device.clone(), self.queue.clone()));
                Err(GpuError::Timeout {
                    seconds: self.options.patience.as_secs(),
                })
            }
            Err(error) => Err(GpuError::Lost(error.to_string())),
        }
    }

    /// Whether it is to do as if it hung.
    fn is_hung(&self) -> bool {
        let submissions = self.statistics.submissions;
        matches!(self.options.fault, Some((Fault::Hung, after)) if after <= submissions)
    }

    /// Reports what the driver told the error handlers.
    fn check(&mut self) -> Result<(), GpuError> {
        self.news.fault().map_or(Ok(()), Err)
    }
}

/// `times` times the launches with the steps `first_step`, `first_step` + 1, … (wrapping).
fn replayed(
    launches: &[Launch],
    first_step: u32,
    times: u32,
) -> impl Iterator<Item = (&Launch, u32)> {
    let steps = (0..times).map(move |time| first_step.wrapping_add(time));
    steps.flat_map(move |step| launches.iter().map(move |launch| (launch, step)))
}

fn in_range(buffer: Buffer, start: usize, words: usize) -> Result<(), GpuError> {
    let end = start.saturating_add(words);
    if end <= buffer.words {
        return Ok(());
    }
    Err(GpuError::OutOfRange {
        label: buffer.label,
        len: buffer.words,
        start,
        end,
    })
}
