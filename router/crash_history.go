package router

type history struct{}
