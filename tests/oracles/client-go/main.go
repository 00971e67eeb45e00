// Command client-go is what most users' programs talk to an API server with: Kubernetes' own client.
// It is a peer of the tests, driven by them through lines on standard output.
//
//	client-go informer KUBECONFIG NAMESPACE          lines "synced", "add NAME V", "update NAME V",
//	                                                 "delete NAME" for the ConfigMaps' data.v
//	client-go elect KUBECONFIG NAMESPACE LEASE ID    lines "leading", "lost", "leader ID"
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

func say(format string, args ...any) {
	fmt.Printf(format+"\n", args...)
}

func inform(ctx context.Context, client kubernetes.Interface, namespace string) {
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0,
		informers.WithNamespace(namespace))
	informer := factory.Core().V1().ConfigMaps().Informer()
	show := func(event string, object any) {
		configMap := object.(*corev1.ConfigMap)
		if value, ours := configMap.Data["v"]; ours {
			say("%s %s %s", event, configMap.Name, value)
		}
	}
	informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(object any) { show("add", object) },
		UpdateFunc: func(_, object any) { show("update", object) },
		DeleteFunc: func(object any) {
			if last, missed := object.(cache.DeletedFinalStateUnknown); missed {
				object = last.Obj
			}
			show("delete", object)
		},
	})
	factory.Start(ctx.Done())
	if cache.WaitForCacheSync(ctx.Done(), informer.HasSynced) {
		say("synced")
	}
	<-ctx.Done()
}

func elect(ctx context.Context, client kubernetes.Interface, namespace, name, id string) {
	lock := &resourcelock.LeaseLock{
		LeaseMeta:  metav1.ObjectMeta{Namespace: namespace, Name: name},
		Client:     client.CoordinationV1(),
		LockConfig: resourcelock.ResourceLockConfig{Identity: id},
	}
	leaderelection.RunOrDie(ctx, leaderelection.LeaderElectionConfig{
		Lock:            lock,
		ReleaseOnCancel: true,
		LeaseDuration:   10 * time.Second,
		RenewDeadline:   7 * time.Second,
		RetryPeriod:     500 * time.Millisecond,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(context.Context) { say("leading") },
			OnStoppedLeading: func() { say("lost") },
			OnNewLeader:      func(leader string) { say("leader %s", leader) },
		},
	})
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if len(os.Args) < 4 {
		fmt.Fprintln(os.Stderr, "usage: client-go informer|elect KUBECONFIG NAMESPACE [LEASE ID]")
		os.Exit(2)
	}
	config, err := clientcmd.BuildConfigFromFlags("", os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	client := kubernetes.NewForConfigOrDie(config)
	if os.Args[1] == "informer" {
		inform(ctx, client, os.Args[3])
		return
	}
	elect(ctx, client, os.Args[3], os.Args[4], os.Args[5])
}
